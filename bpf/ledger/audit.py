"""An audit: the kernel's counters, read just before a drain, against what that drain brought."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.common.transports import TRANSPORTS
from ringtop.bpf.event.batch import Rows
from ringtop.bpf.kernel.layout import Counters


class Audit:
    """What *counters* say was emitted has been received or dropped by the end of the drain, but for events that were
    just being written. Events received beyond the counters were emitted after they were read; their numbers tell."""

    def __init__(self, counters: Counters) -> None:
        self.counters = counters
        self.ahead: dict[str, NDArray[np.int64]] = {t: np.zeros(len(counters.seq), np.int64) for t in TRANSPORTS}
        """Events received beyond the counters, by transport and CPU."""

    def saw(self, transport: str, rows: Rows) -> None:
        """Take note of *rows*, which the drain brought over *transport*."""
        cpu = rows["cpu"]
        ahead = cpu[rows["seq"] >= self.counters.seq[cpu]]
        self.ahead[transport] += np.bincount(ahead, minlength=len(self.counters.seq))
