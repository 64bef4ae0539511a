"""The ledger of one program: what its kernel side reports as emitted against what arrived, for each CPU.

emitted = received + dropped holds on every CPU and for every transport once the hooks are detached and the buffers are
drained. Before that the difference is in flight.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.common.transports import TRANSPORTS, Transport
from ringtop.bpf.kernel.layout import COUNTERS, Counters
from ringtop.bpf.stream import CpuStats
from ringtop.bpf.transport.records import Drained

LATENCY_BUCKETS = 32
"""Number of buckets of delivery latency: less than 1 µs, 1, 2 to 3, 4 to 7, …; the last one holds all that is
longer."""
REASONS = ("full", "no_reader", "other")
_EDGES = 1000 << np.arange(LATENCY_BUCKETS - 1)
"""Nanoseconds at which each bucket ends and the next one begins."""


def _zeros(cpus: int) -> NDArray[np.int64]:
    return np.zeros(cpus, np.int64)


def _by_latency(ts: NDArray[np.int64], now_ns: int) -> NDArray[np.int64]:
    """The number of events in each bucket of delivery latency. Their time stamps *ts* (ns) must be in order."""
    begun = np.zeros(LATENCY_BUCKETS + 1, np.int64)  # events that took at least as long as each bucket's lower edge
    begun[0] = len(ts)
    begun[1:-1] = ts.searchsorted(now_ns - _EDGES, "right")
    in_each: NDArray[np.int64] = begun[:-1] - begun[1:]
    return in_each


@dataclass
class Received:
    """The figures of what arrived over one transport. Arrays are by CPU, ``latency`` is by bucket."""

    cpus: int
    received: NDArray[np.int64] = field(init=False)
    bytes: NDArray[np.int64] = field(init=False)
    lost: NDArray[np.int64] = field(init=False)
    fill: NDArray[np.int64] = field(init=False)
    peak: NDArray[np.int64] = field(init=False)
    inversions: NDArray[np.int64] = field(init=False)
    latency: NDArray[np.int64] = field(init=False)
    wakeups: int = 0
    damaged: int = 0
    reader_ns: int = 0
    """CPU time spent on reading this transport, in nanoseconds."""

    def __post_init__(self) -> None:
        for name in ("received", "bytes", "lost", "fill", "peak", "inversions"):
            setattr(self, name, _zeros(self.cpus))
        self.latency = np.zeros(LATENCY_BUCKETS, np.int64)


class Ledger:
    """The ledger of one program over both transports."""

    def __init__(self, cpus: int) -> None:
        self.cpus = cpus
        self.by = {name: Received(cpus) for name in TRANSPORTS}
        self.gaps = _zeros(cpus)
        """Gaps in the sequence numbers, by CPU. Each event has one number, whichever transport it takes."""
        self.next_seq = _zeros(cpus)
        """The number after the highest one received, by CPU."""
        self._latest_ts = 0

    def take(self, transport: Transport, drained: Drained, now_ns: int) -> None:
        """Enter the result of a drain; *now_ns* is the monotonic clock after it."""
        side = self.by[transport]
        side.bytes += drained.bytes
        side.lost += drained.lost
        side.damaged += drained.damaged
        side.fill = drained.bytes
        np.maximum(side.peak, drained.bytes, out=side.peak)
        rows = drained.batch.rows
        if not len(rows):
            return
        cpu, seq, ts = rows["cpu"], rows["seq"].view("<i8"), rows["ts"].astype(np.int64)
        if np.count_nonzero(drained.bytes) == 1:  # all events are of one CPU
            one, count = cpu[:1].astype(np.intp), np.array([len(rows)])
            after = np.maximum(self.next_seq[one], seq.max(keepdims=True) + 1)
        else:
            one, count = np.arange(self.cpus), np.bincount(cpu, minlength=self.cpus)
            after = self.next_seq.copy()
            np.maximum.at(after, cpu, seq + 1)
        side.received[one] += count
        self.gaps[one] += after - self.next_seq[one] - count
        self.next_seq[one] = after
        if ts[0] < self._latest_ts or (ts[1:] < ts[:-1]).any():
            latest = np.maximum.accumulate(np.concatenate([[self._latest_ts], ts]))
            side.inversions += np.bincount(cpu[ts < latest[:-1]], minlength=self.cpus)
            ts = np.sort(ts)
        self._latest_ts = max(self._latest_ts, int(ts[-1]))
        side.latency += _by_latency(ts, now_ns)

    def cpu_stats(
        self,
        transport: Transport,
        counters: Counters,
        online: list[int],
        ahead: NDArray[np.int64] | None,
        in_use: bool = True,
    ) -> list[CpuStats]:
        """The ledger of one transport, for the CPUs that are *online* or ever had an event or a call.

        After an audit, *ahead* is the number of events by CPU that were received but are not yet in *counters*; events
        that the counters have beyond the last one received then count as gaps, too. Gaps and untracked hook runs belong
        to no single transport, so they are reported with the one *in_use*.
        """
        gaps = self.gaps
        if ahead is not None:
            gaps = gaps + np.maximum(counters.seq.astype(np.int64) - self.next_seq, 0)
        else:
            ahead = _zeros(self.cpus)
        side, number = self.by[transport], TRANSPORTS.index(transport)
        kernel = counters.by[:, number, :].astype(np.int64)
        at = {name: kernel[:, i] for i, name in enumerate(COUNTERS)}
        seen = set(np.flatnonzero(at["hits"] + side.received).tolist())
        if in_use:
            seen |= set(np.flatnonzero(counters.untracked).tolist())  # only the sum over all CPUs is meaningful
        shown = sorted(seen | set(online)) if in_use else sorted(seen)
        return [
            CpuStats(
                cpu=cpu,
                hits=int(at["hits"][cpu]),
                filtered=int(at["filtered"][cpu]),
                emitted=int(at["emitted"][cpu]),
                received=int(side.received[cpu] - ahead[cpu]),
                dropped={reason: int(at[reason][cpu]) for reason in REASONS},
                bytes=int(side.bytes[cpu]),
                gaps=int(gaps[cpu]) if in_use else 0,
                lost_records=int(side.lost[cpu]),
                fill=int(side.fill[cpu]) if in_use else 0,
                peak=int(side.peak[cpu]),
                inversions=int(side.inversions[cpu]),
                untracked=int(counters.untracked[cpu]) if in_use else 0,
            )
            for cpu in shown
        ]
