"""The maps that a program and its collector share, as laid out in bpf/include/ringtop.h."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.common.transports import TRANSPORTS, Transport
from ringtop.bpf.filter.capture import Capture
from ringtop.bpf.kernel.marks import HOST, Scope

COPIES = len(TRANSPORTS)
"""Index of the counters of copies: events that go over the other transport, too. It follows the transports."""

COUNTERS = ("hits", "filtered", "emitted", "full", "no_reader", "other")
"""The fields of ``struct counts``, in order."""


@dataclass(frozen=True, slots=True)
class ProgramConfig:
    """``struct config``."""

    transport: Transport
    wakeup: int
    wakeup_arg: int
    capture: Capture
    copy: bool = False
    """Whether a copy of each event goes over the other transport."""
    scope: Scope = HOST

    def pack(self) -> bytes:
        """The bytes that the kernel side reads."""
        way = TRANSPORTS.index(self.transport), self.copy, self.wakeup, self.wakeup_arg
        scope = self.scope
        return np.array([*way, scope.mask, scope.value, bool(scope.cgroup)], "<u8").tobytes() + self.capture.pack()


@dataclass(frozen=True, slots=True)
class Counters:
    """The counters of a program, with one row for each possible CPU."""

    seq: NDArray[np.uint64]
    """Attempts to emit over both transports. Shape (cpus,)."""
    untracked: NDArray[np.int64]
    """Hook runs that could not be followed to their end, and calls that have entered and not yet returned. A call is
    subtracted on the CPU where it returns, so only the sum over all CPUs is meaningful. Shape (cpus,)."""
    by: NDArray[np.uint64]
    """Shape (cpus, transports and copies, ``COUNTERS``)."""
    at_rest: bool = False
    """Whether no hook runs, so that nothing is being emitted."""
