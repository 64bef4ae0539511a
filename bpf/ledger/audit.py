"""An audit: the kernel's counters, read just before a drain, against what that drain brought."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.common.transports import TRANSPORTS
from ringtop.bpf.event.batch import Rows
from ringtop.bpf.kernel.layout import COUNTERS, Counters
from ringtop.bpf.ledger.ledger import REASONS, Ledger

_PERF_BUFFERS = TRANSPORTS.index("perfbuf")
_EMITTED, _FULL = COUNTERS.index("emitted"), COUNTERS.index("full")
_DROPPED = [COUNTERS.index(reason) for reason in REASONS]


class Audit:
    """What *counters* say was emitted has been received or dropped by the end of the drain, but for events that were
    just being written. Events received beyond the counters were emitted after they were read; their numbers tell."""

    def __init__(self, counters: Counters) -> None:
        self.counters = counters
        self.ahead: dict[str, NDArray[np.int64]] = {t: np.zeros(len(counters.seq), np.int64) for t in TRANSPORTS}
        """Events received beyond the counters, by transport and CPU."""
        self._newest = np.zeros(len(counters.seq), bool)
        """CPUs whose newest event, by the counters, the drain brought."""

    def saw(self, transport: str, rows: Rows) -> None:
        """Take note of *rows*, which the drain brought over *transport*."""
        cpu, seq = rows["cpu"], rows["seq"]
        newest = np.maximum(self.counters.seq, 1) - 1  # by the counters
        at_the_end = np.flatnonzero(seq >= newest[cpu])
        if not len(at_the_end):
            return
        cpu, seq = cpu[at_the_end], seq[at_the_end]
        next_seq = self.counters.seq[cpu]
        self.ahead[transport] += np.bincount(cpu[seq >= next_seq], minlength=len(self.counters.seq))
        self._newest[cpu[seq + 1 == next_seq]] = True

    def find_unreported(self, ledger: Ledger) -> NDArray[np.int64]:
        """After the drain, and only where the kernel does not tell a program that its event found no room in a perf
        buffer (``Kernel.silent_perf``): how many such events of each CPU the counters lack. They are added to them.

        What was emitted and neither arrived nor was dropped for another reason is such an event. Of a CPU's newest one
        that cannot be said before the next: it may still have been in work when the counters were read.
        """
        counted = self.counters.by[:, _PERF_BUFFERS].astype(np.int64)
        arrived = ledger.by["perfbuf"].received - self.ahead["perfbuf"]
        missing: NDArray[np.int64] = counted[:, _EMITTED] - counted[:, _DROPPED].sum(1) - arrived
        if not self.counters.at_rest:
            missing -= ~self._newest & (self.counters.seq.astype(np.int64) != ledger.next_seq)
        np.maximum(missing, 0, out=missing)
        self.counters.by[:, _PERF_BUFFERS, _FULL] += missing.astype(np.uint64)
        return missing
