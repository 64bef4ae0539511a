"""A period is what a transport did in a stretch of time: the difference of its figures at two moments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.common.clock import now_ns
from ringtop.bpf.common.transports import TRANSPORTS
from ringtop.bpf.kernel.layout import COUNTERS, Counters
from ringtop.bpf.ledger.ledger import REASONS, Received
from ringtop.bpf.stream import Period
from ringtop.bpf.transport.reader import Reader

_LOSSES = [COUNTERS.index(reason) for reason in REASONS]


@dataclass(frozen=True, slots=True)
class Figures:
    """The totals of a transport at one moment. They only grow."""

    at_ns: int
    received: int
    dropped: int
    inversions: int
    wakeups: int
    reader_ns: int
    latency: NDArray[np.int64]

    def until(self, later: Figures, reader: Reader, wakeup: str) -> Period:
        """The period from here to *later*, for the setting that was in force."""
        return Period(
            transport=reader.transport,
            buffer_bytes=reader.size,
            wakeup=wakeup,
            memory_bytes=reader.memory,
            seconds=(later.at_ns - self.at_ns) / 1e9,
            received=later.received - self.received,
            dropped=later.dropped - self.dropped,
            inversions=later.inversions - self.inversions,
            wakeups=later.wakeups - self.wakeups,
            reader_ns=later.reader_ns - self.reader_ns,
            latency_us=(later.latency - self.latency).tolist(),
        )


def figures(side: Received, counters: Counters, number: int) -> Figures:
    """The figures now: from *side*, and from the kernel's *counters* for the transport with index *number*."""
    return Figures(
        at_ns=now_ns(),
        received=int(side.received.sum()),
        dropped=int(counters.by[:, number, _LOSSES].sum()),
        inversions=int(side.inversions.sum()),
        wakeups=side.wakeups,
        reader_ns=side.reader_ns,
        latency=side.latency.copy(),
    )


def losses(counters: Counters) -> int:
    """Events dropped over both transports, so far."""
    return int(counters.by[:, : len(TRANSPORTS), _LOSSES].sum())
