"""How often the viewer takes messages and paints: each frame, and less often while tasks wait for a CPU."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

BUSY_S = 1.0
"""Seconds between frames while tasks wait for a CPU."""
_SHARE = 0.02
"""The viewer waits for a CPU, and so do others, when it spends more than this part of the time waiting."""
_LASTS_S = 3.0
"""Seconds that the slower pace lasts after the last sign of it."""


def waited_ns() -> int:
    """The time that this thread has waited on a run queue (Documentation/scheduler/sched-stats.rst); 0 where the kernel
    does not tell."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1])
    except OSError:
        return 0


class Pace:
    """Says at each frame whether it is to be worked on."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, waited_ns: Callable[[], int] = waited_ns) -> None:
        self._clock, self._waited_ns = clock, waited_ns
        self._looked, self._waited = clock(), waited_ns()
        self._worked = self._busy_until = float("-inf")

    def due(self) -> bool:
        """Whether this frame is to be worked on."""
        now, waited = self._clock(), self._waited_ns()
        if waited - self._waited > _SHARE * (now - self._looked) * 1e9:
            self._busy_until = now + _LASTS_S
        self._looked, self._waited = now, waited
        if now < self._busy_until and now - self._worked < BUSY_S:
            return False
        self._worked = now
        return True
