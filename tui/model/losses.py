"""The log of lost events. It outlives the rows, and takes a fixed amount of memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ringtop.bpf import stream
from ringtop.bpf.common.transports import Transport

MOST = 1000
"""The limit of entries; the oldest are summed."""
APART_NS = 2_000_000_000
"""Losses of one kind less than this apart are one entry, because ledgers come about once a second."""
NOT_KEPT = "not kept"
"""The reason of events that arrived and that this viewer did not keep."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What was set when events were lost."""

    transport: Transport
    buffer_bytes: int
    wakeup: str


@dataclass(frozen=True, slots=True)
class Loss:
    """Events of one program that were lost on one CPU for one reason, within a stretch of time."""

    program: str
    cpu: int | None
    """None for events that the viewer did not keep: it does not count them by CPU."""
    reason: str
    """As in ``CpuStats.dropped`` (untrusted), or NOT_KEPT."""
    setting: Setting | None
    """What was set at the last ledger before the loss; None for events that the viewer did not keep."""
    events: int
    first_ns: int
    """The time of the first ledger with the loss, by the kernel's clock; the loss began up to a second before it."""
    last_ns: int
    """The time of the last such ledger."""

    @property
    def kind(self) -> tuple[object, ...]:
        """What losses have in common that can be one entry."""
        return self.program, self.cpu, self.reason, self.setting


class Losses:
    """The losses of all programs over all collectors, from the differences between successive ledgers."""

    def __init__(self) -> None:
        self.now: dict[str, frozenset[str]] = {}
        """The reasons for which events of each program were lost between the last two ledgers."""
        self.gone = 0
        """The number of entries that are no longer kept."""
        self.gone_events = 0
        """The number of lost events in these entries."""
        self._entries: dict[int, Loss] = {}
        self._open: dict[tuple[object, ...], int] = {}
        """The entries that may still grow, by kind."""
        self._made = 0
        self._dropped: dict[tuple[str, Transport, int, str], int] = {}
        self._set: dict[tuple[str, Transport], Setting] = {}
        self._unkept: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def newest(self) -> Iterator[Loss]:
        """The entries, the newest first."""
        return reversed(self._entries.values())

    @property
    def events(self) -> int:
        """All lost events."""
        return self.gone_events + sum(loss.events for loss in self._entries.values())

    def restart(self) -> None:
        """Expect the ledgers of a new collector, which start at 0."""
        self._dropped.clear()
        self._set.clear()

    def stop(self) -> None:
        """The collector has ended: nothing is being lost any more."""
        self.now = {}

    def take(self, stats: stream.Stats, states: Mapping[str, stream.State], unkept: Mapping[str, int]) -> None:
        """Log what was lost since the previous ledgers. *unkept* is how many events of each program the viewer did not
        keep so far."""
        found = [*self._lost(stats, states), *self._not_kept(stats.ts_ns, unkept)]
        self._open = {k: n for k, n in self._open.items() if stats.ts_ns - self._entries[n].last_ns < APART_NS}
        for loss in found:
            self._add(loss)
        now: dict[str, set[str]] = {}
        for loss in found:
            now.setdefault(loss.program, set()).add(loss.reason)
        self.now = {program: frozenset(reasons) for program, reasons in now.items()}

    def _lost(self, stats: stream.Stats, states: Mapping[str, stream.State]) -> Iterator[Loss]:
        dropped = {
            (part.program, part.transport, cpu.cpu, reason): events
            for part in stats.programs
            for cpu in part.cpus
            for reason, events in cpu.dropped.items()
            if events
        }
        before, self._dropped = self._dropped, dropped
        setting = {(part.program, part.transport): _setting(part, states) for part in stats.programs}
        known, self._set = self._set, setting
        for kind, events in dropped.items():
            program, transport, cpu, reason = kind
            if (more := events - before.get(kind, 0)) > 0:
                was = known.get((program, transport)) or setting[program, transport]
                yield Loss(program, cpu, reason, was, more, stats.ts_ns, stats.ts_ns)

    def _not_kept(self, now_ns: int, unkept: Mapping[str, int]) -> Iterator[Loss]:
        for program, events in unkept.items():
            if (more := events - self._unkept.get(program, 0)) > 0:
                yield Loss(program, None, NOT_KEPT, None, more, now_ns, now_ns)
        self._unkept = dict(unkept)

    def _add(self, loss: Loss) -> None:
        if (number := self._open.get(loss.kind)) is not None:
            old = self._entries[number]
            self._entries[number] = replace(old, events=old.events + loss.events, last_ns=loss.last_ns)
            return
        self._open[loss.kind] = self._made
        self._entries[self._made] = loss
        self._made += 1
        if len(self._entries) > MOST:
            oldest = self._entries.pop(next(iter(self._entries)))
            self.gone += 1
            self.gone_events += oldest.events
            self._open = {kind: n for kind, n in self._open.items() if n in self._entries}


def _setting(part: stream.ProgramStats, states: Mapping[str, stream.State]) -> Setting:
    """What is set for the transport of *part*: by its present period, or else by the program's state."""
    if part.now is not None:
        return Setting(part.transport, part.now.buffer_bytes, part.now.wakeup)
    state = states.get(part.program)
    if state is not None and state.transport == part.transport:
        return Setting(part.transport, state.buffer_bytes, state.wakeup)
    return Setting(part.transport, 0, "")
