"""The ledgers as shown: totals, rates and residuals, computed from ``Stats``. It knows nothing of screens."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

from ringtop.bpf import stream
from ringtop.bpf.common.transports import Transport

HISTORY = 60
"""The number of rates kept for a sparkline."""


@dataclass(frozen=True, slots=True)
class Cpu:
    """The counters of one CPU for one program, summed over all transports that were used."""

    cpu: int
    received: int = 0
    rate: float = 0.0
    """Events received a second."""
    dropped: int = 0
    reasons: tuple[str, ...] = ()
    """The reasons of the drops, the most frequent first."""
    drop_rate: float = 0.0
    filtered: int = 0
    fill: int = 0
    """Bytes waiting at the last drain, in the transport in use."""
    peak: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """The counters of one program."""

    emitted: int = 0
    received: int = 0
    rate: float = 0.0
    dropped: dict[str, int] = field(default_factory=dict)
    """Dropped events by reason."""
    drop_rates: dict[str, float] = field(default_factory=dict)
    filtered: int = 0
    """Events that the capture filter kept out."""
    inversions: int = 0
    """Events that arrived after an event with a later timestamp."""
    late: int = 0
    """The part of the inversions that arrived too late to be put in time order."""
    transport: str = ""
    """The transport in use."""
    fill: int = 0
    """Bytes waiting in the transport in use."""
    capacity: int = 0
    """Bytes that the transport in use can hold."""
    waiting: int = 0
    """Bytes waiting in all transports, including one that is being replaced."""
    waits: stream.Waits | None = None
    """runqslower's count of all waits since its collector started; None when it does not count them."""
    now: stream.Period | None = None
    """The measured period of the transport in use, since its last change."""
    cpus: tuple[Cpu, ...] = ()
    open: int = 0
    """Events emitted but neither received nor dropped: in flight, or missing from the ledger."""

    @property
    def lost(self) -> int:
        """Dropped events, for all reasons together."""
        return sum(self.dropped.values())

    @property
    def lost_rate(self) -> float:
        """Dropped events a second, for all reasons together."""
        return sum(self.drop_rates.values())

    stuck: int = 0
    """The part of the open events that may already have been open in the previous ledgers."""

    @property
    def in_flight(self) -> int:
        """The open events that are in a buffer or are just being written to one."""
        return self.open - self.residual

    @property
    def residual(self) -> int:
        """The open events that stay open while no buffer holds any bytes. Any value but 0 means a broken ledger."""
        return 0 if self.waiting else self.stuck


class Counters:
    """The collector's ledgers, program by program."""

    def __init__(self) -> None:
        self.programs: dict[str, Totals] = {}
        self.rates: dict[str, deque[float]] = {}
        """Events received a second, oldest first."""
        self.cpu_share = 0.0
        """The collector's CPU use as a part of one CPU (1.0: all of it)."""
        self.rss = 0
        self._last: stream.Stats | None = None
        self._earlier: dict[str, Totals] = {}
        """The totals counted by earlier collectors."""

    def stop(self) -> None:
        """The collector has ended: set all rates to 0 and treat open events as stuck."""
        for name, totals in self.programs.items():
            cpus = tuple(replace(c, rate=0.0, drop_rate=0.0) for c in totals.cpus)
            self.programs[name] = replace(totals, rate=0.0, drop_rates={}, cpus=cpus, stuck=totals.open)
        self.cpu_share = 0.0

    def changed(self, program: str) -> None:
        """Discard the measured period of *program*: its transport has just changed."""
        self.programs[program] = replace(self.of(program), now=None)

    def restart(self) -> None:
        """A new collector counts from 0; earlier drops stay in the totals."""
        self._last = None
        self._earlier = dict(self.programs)

    def update(self, stats: stream.Stats) -> None:
        """Update the totals and rates from the newest ledgers."""
        last = self._last
        seconds = (stats.ts_ns - last.ts_ns) / 1e9 if last is not None else 0.0
        if last is not None and seconds > 0:
            self.cpu_share = max(0, stats.cpu_ns - last.cpu_ns) / (stats.ts_ns - last.ts_ns)
        self.rss = stats.rss_bytes
        by_name: dict[str, list[stream.ProgramStats]] = {}
        for part in stats.programs:
            by_name.setdefault(part.program, []).append(part)
        before = {(p.program, p.transport): p for p in last.programs} if last is not None else {}
        for name, parts in by_name.items():
            totals = _totals(parts, before, seconds)
            totals = replace(totals, stuck=_stuck(totals.open, self.of(name).open) if last else totals.open)
            self.programs[name] = _carried(self._earlier.get(name, Totals()), totals)
            if seconds > 0:
                self.rates.setdefault(name, deque(maxlen=HISTORY)).append(totals.rate)
        self._last = stats

    def of(self, program: str) -> Totals:
        """The totals of *program*."""
        return self.programs.get(program, Totals())

    def all(self) -> Totals:
        """The totals of all programs together."""
        parts = list(self.programs.values())
        dropped: dict[str, int] = {}
        rates: dict[str, float] = {}
        for part in parts:
            for reason, n in part.dropped.items():
                dropped[reason] = dropped.get(reason, 0) + n
            for reason, r in part.drop_rates.items():
                rates[reason] = rates.get(reason, 0.0) + r
        return Totals(
            emitted=sum(p.emitted for p in parts),
            received=sum(p.received for p in parts),
            rate=sum(p.rate for p in parts),
            dropped=dropped,
            drop_rates=rates,
            filtered=sum(p.filtered for p in parts),
            inversions=sum(p.inversions for p in parts),
            late=sum(p.late for p in parts),
            fill=sum(p.fill for p in parts),
            capacity=sum(p.capacity for p in parts),
            waiting=sum(p.waiting for p in parts),
            open=sum(p.open for p in parts),
        )

    @property
    def lost(self) -> int:
        """Dropped events, over all programs."""
        return sum(p.lost for p in self.programs.values())

    @property
    def in_flight(self) -> int:
        """Events in flight, over all programs."""
        return sum(p.in_flight for p in self.programs.values())

    @property
    def residual(self) -> int:
        """Events that no ledger explains, over all programs."""
        return sum(abs(p.residual) for p in self.programs.values())


def _stuck(now: int, before: int) -> int:
    """How many of the events open *now* may have been open in the previous stats already (*before*)."""
    return now if abs(now) <= abs(before) else before


def _carried(earlier: Totals, now: Totals) -> Totals:
    """*now* plus the dropped and filtered events of *earlier*. Its events in flight ended with its collector."""
    reasons = earlier.dropped | now.dropped
    before = {c.cpu: c for c in earlier.cpus}
    cpus = []
    for c in now.cpus:
        old = before.get(c.cpu, Cpu(c.cpu))
        why = tuple(dict.fromkeys((*c.reasons, *old.reasons)))
        cpus.append(replace(c, dropped=c.dropped + old.dropped, reasons=why, filtered=c.filtered + old.filtered))
    return replace(
        now,
        dropped={reason: earlier.dropped.get(reason, 0) + now.dropped.get(reason, 0) for reason in reasons},
        filtered=earlier.filtered + now.filtered,
        cpus=tuple(cpus),
    )


Before = dict[tuple[str, Transport], stream.ProgramStats]


def _current(parts: list[stream.ProgramStats], before: Before) -> stream.ProgramStats:
    """The statistics of the transport in use; if none is marked so, of the one that received most since *before*."""
    if told := [p for p in parts if p.now is not None]:
        return told[-1]

    def moved(part: stream.ProgramStats) -> int:
        old = before.get((part.program, part.transport))
        return sum(c.received for c in part.cpus) - (sum(c.received for c in old.cpus) if old is not None else 0)

    return max(parts, key=moved)


def _totals(parts: list[stream.ProgramStats], before: Before, seconds: float) -> Totals:
    emitted = received = filtered = inversions = 0
    dropped: dict[str, int] = {}
    drop_rates: dict[str, float] = {}
    cpus: dict[int, Cpu] = {}
    current = _current(parts, before)
    for part in parts:
        old = before.get((part.program, part.transport))
        earlier = {c.cpu: c for c in old.cpus} if old is not None else {}
        for c in part.cpus:
            was = earlier.get(c.cpu)
            gain = c.received - (was.received if was is not None else 0)
            loss = 0
            for reason, n in c.dropped.items():
                more = n - (was.dropped.get(reason, 0) if was is not None else 0)
                loss += more
                dropped[reason] = dropped.get(reason, 0) + n
                drop_rates[reason] = drop_rates.get(reason, 0.0) + (max(0, more) / seconds if seconds > 0 else 0.0)
            emitted += c.emitted
            received += c.received
            filtered += c.filtered
            inversions += c.inversions
            seen = cpus.get(c.cpu, Cpu(c.cpu))
            cpus[c.cpu] = Cpu(
                c.cpu,
                seen.received + c.received,
                seen.rate + (max(0, gain) / seconds if seconds > 0 else 0.0),
                seen.dropped + sum(c.dropped.values()),
                tuple(r for r, n in sorted(c.dropped.items(), key=lambda kv: -kv[1]) if n) or seen.reasons,
                seen.drop_rate + (max(0, loss) / seconds if seconds > 0 else 0.0),
                seen.filtered + c.filtered,
                c.fill if part is current else seen.fill,
                c.peak if part is current else seen.peak,
            )
    return Totals(
        emitted=emitted,
        received=received,
        rate=sum(c.rate for c in cpus.values()),
        dropped=dropped,
        drop_rates=drop_rates,
        filtered=filtered,
        inversions=inversions,
        late=current.late,
        transport=current.transport,
        fill=current.fill,
        capacity=current.capacity,
        waiting=sum(p.fill for p in parts),
        waits=current.waits,
        now=current.now,
        cpus=tuple(cpus[c] for c in sorted(cpus)),
        open=emitted - received - sum(dropped.values()),
    )
