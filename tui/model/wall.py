"""The wall clock of the traced machine, for times of its kernel's clock."""

from __future__ import annotations

from bisect import bisect_right

from ringtop.bpf.common.clock import STEP_NS

_MOST = 4096


class Wall:
    """Turns times of the kernel's clock into wall-clock times. A time that was shown stays the same: a new distance
    between the clocks holds only for the times after it."""

    def __init__(self) -> None:
        self._since: list[int] = []
        self._offsets: list[int] = []

    def begin(self, offset_ns: int) -> None:
        """Take the distance at the beginning of a stream; forget the others if it is of another machine or boot."""
        if not self._offsets or abs(offset_ns - self._offsets[-1]) >= STEP_NS:
            self._since, self._offsets = [0], [offset_ns]

    def set(self, offset_ns: int, now_ns: int) -> None:
        """Take the distance measured at *now_ns* (kernel's clock)."""
        if self._offsets and abs(offset_ns - self._offsets[-1]) < STEP_NS:
            return
        self._since.append(now_ns)
        self._offsets.append(offset_ns)
        if len(self._since) > _MOST:
            del self._since[1], self._offsets[1]  # times before the first one go by the first

    def ns(self, ts: int) -> int:
        """The wall-clock time in ns since 1970 at the kernel's time *ts*; *ts* itself while no distance is known."""
        at = max(0, bisect_right(self._since, ts) - 1)
        return ts + self._offsets[at] if self._offsets else ts
