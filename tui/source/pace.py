"""How often the viewer reads, takes messages and paints: less often while tasks wait for a CPU."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

BUSY_S = 2.0
"""Seconds between frames while tasks wait for a CPU."""
REST_S = 0.3
"""Seconds between two reads of a few messages while tasks wait for a CPU: each wake-up may be at the end of a wait."""
FEW_BYTES = 16 << 10
"""What is a few: a quarter of what a pipe holds."""
_SHARE = 0.02
"""A thread waits for a CPU, and so do others, when it spends more than this part of the time waiting."""
_SCHEDSTAT = Path("/proc/thread-self/schedstat")
_LASTS_S = 3.0
"""Seconds that the slower pace lasts after the last sign of it."""


def waited_ns() -> int:
    """The time that this thread has waited on a run queue (Documentation/scheduler/sched-stats.rst); 0 where the kernel
    does not tell."""
    try:
        with _SCHEDSTAT.open("rb", buffering=0) as file:
            return int(file.read().split()[1])
    except OSError:
        return 0


class Pace:
    """Says to one thread, the one that asks, whether tasks wait for a CPU."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, waited_ns: Callable[[], int] = waited_ns) -> None:
        self._clock, self._waited_ns = clock, waited_ns
        self._looked, self._waited = clock(), waited_ns()
        self._worked = self._busy_until = float("-inf")

    def waiting(self) -> bool:
        """Whether tasks wait, or did a moment ago."""
        now, waited = self._clock(), self._waited_ns()
        if waited - self._waited > _SHARE * (now - self._looked) * 1e9:
            self._busy_until = now + _LASTS_S
        self._looked, self._waited = now, waited
        return now < self._busy_until

    def due(self) -> bool:
        """Whether this frame is to be worked on."""
        if self.waiting() and self._looked - self._worked < BUSY_S:
            return False
        self._worked = self._looked
        return True

    def rest(self, size: int) -> float:
        """The seconds to rest after a read of *size* bytes."""
        return REST_S if size < FEW_BYTES and self.waiting() else 0.0
