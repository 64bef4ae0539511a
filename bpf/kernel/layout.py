"""What a program and its collector read and write in the same maps, as bpf/include/ringtop.h lays it out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.common.transports import TRANSPORTS, Transport
from ringtop.bpf.filter.capture import Capture

COPIES = len(TRANSPORTS)
"""Behind the transports: the copies of events that go over the other transport too."""

COUNTERS = ("hits", "filtered", "emitted", "full", "no_reader", "other")
"""``struct counts``, in order."""


@dataclass(frozen=True, slots=True)
class ProgramConfig:
    """``struct config``."""

    transport: Transport
    wakeup: int
    wakeup_arg: int
    capture: Capture
    copy: bool = False
    """Each event goes over the other transport too."""

    def pack(self) -> bytes:
        """As the kernel reads it."""
        words = np.array([TRANSPORTS.index(self.transport), self.copy, self.wakeup, self.wakeup_arg], "<u8")
        return words.tobytes() + self.capture.pack()


@dataclass(frozen=True, slots=True)
class Counters:
    """What a program counted, one row for each possible CPU."""

    seq: NDArray[np.uint64]
    """Emit attempts over both transports."""
    untracked: NDArray[np.int64]
    """Hook runs that could not be followed to their end, and calls that have entered and not left: taken back on the
    CPU where they leave, so that only the sum over all CPUs means something."""
    by: NDArray[np.uint64]
    """Shape (cpus, transports and copies, ``COUNTERS``)."""
    at_rest: bool = False
    """No hook runs: nothing is being emitted."""
