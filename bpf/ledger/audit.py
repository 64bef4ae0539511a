"""An audit compares the kernel's counters, read just before a drain, with what that drain brought."""

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
    """Every event that *counters* report as emitted has been received or dropped by the end of the drain, except those
    that were just being written. Events received beyond the counters were emitted after these were read: their sequence
    numbers show it."""

    def __init__(self, counters: Counters) -> None:
        self.counters = counters
        self.ahead: dict[str, NDArray[np.int64]] = {t: np.zeros(len(counters.seq), np.int64) for t in TRANSPORTS}
        """Events received beyond the counters, by transport and CPU."""
        self._newest = np.zeros(len(counters.seq), bool)
        """Whether the drain brought the newest event that the counters know of, by CPU."""

    def saw(self, transport: str, rows: Rows) -> None:
        """Record *rows*, which the drain brought over *transport*."""
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
        """Find the events that got no room in a perf buffer and are missing from the counters, and add them to the
        counters. Returns their number by CPU. To be called after the drain, and only where the kernel does not report
        such events to the program (``Kernel.silent_perf``).

        An event that was emitted, has not arrived and was not dropped for another reason is such an event. For the
        newest event of a CPU this is certain only once the next one exists: it may have been in flight when the
        counters were read.
        """
        counted = self.counters.by[:, _PERF_BUFFERS].astype(np.int64)
        arrived = ledger.by["perfbuf"].received - self.ahead["perfbuf"]
        missing: NDArray[np.int64] = counted[:, _EMITTED] - counted[:, _DROPPED].sum(1) - arrived
        if not self.counters.at_rest:
            missing -= ~self._newest & (self.counters.seq.astype(np.int64) != ledger.next_seq)
        np.maximum(missing, 0, out=missing)
        self.counters.by[:, _PERF_BUFFERS, _FULL] += missing.astype(np.uint64)
        return missing
