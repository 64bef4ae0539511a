"""Cells of each second of the last minute, and of each ten seconds of the last five minutes.

Time is that of the events: a replay gives the same. A slot holds only what had events in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ringtop.tui.top.cells import Cells
from ringtop.tui.top.groups import Codes

SECOND = 1_000_000_000
WINDOWS = {"10s": 10, "1min": 60, "5min": 300}
"""Seconds of each window: so many, and what has gone by of the slot that is being filled."""
_MINUTE = WINDOWS["1min"]
_LONG = 10
"""Seconds of a slot of the older ones."""


def begin(window: str, second: int) -> int:
    """The second that *window* begins with when it is *second*."""
    seconds = WINDOWS[window]
    grain = 1 if seconds <= _MINUTE else _LONG
    return second // grain * grain - seconds


def by_time(seconds: Codes, grain: int = 1) -> Iterator[tuple[int, slice | NDArray[np.bool_]]]:
    """The slots of *grain* seconds that *seconds* fall into, as far as any are kept, and which do.

    Seconds that are all one, as most batches', are an array of stride 0.
    """
    if not seconds.strides[0] or len(seconds) == 1:
        yield int(seconds[0]) // grain * grain, slice(None)
        return
    starts = seconds // grain * grain
    newest = int(starts.max())
    for start in np.unique(starts[starts >= newest - 2 * WINDOWS["5min"]]).tolist():
        yield start, starts == start


class Slots:
    """Cells, as *new* makes them, by time. *coarse*: only in slots of ten seconds."""

    def __init__(self, new: Callable[[], Cells], coarse: bool = False) -> None:
        self.now = 0
        """The newest second."""
        self._new = new
        self._fine = 0 if coarse else _MINUTE
        self._slots: dict[tuple[int, int], Cells] = {}
        """By length and first second."""

    def slot(self, second: int) -> Cells | None:
        """The cells of *second*; None when it is too long ago."""
        if self._fine and second >= self.now - self._fine:
            return self._slot(1, second)
        if second >= begin("5min", self.now):
            return self._slot(_LONG, second // _LONG * _LONG)
        return None

    def advance(self, second: int) -> None:
        """It is *second* now: older slots become long ones, and go."""
        self.now = max(self.now, second)
        oldest = begin("5min", self.now)
        for length, start in sorted(self._slots):
            if start < oldest:
                del self._slots[length, start]
            elif length == 1 and start < self.now - self._fine:
                self._slot(_LONG, start // _LONG * _LONG).absorb(self._slots.pop((length, start)))

    def between(self, first: int, last: int) -> Iterator[tuple[int, Cells]]:
        """The slots that begin from *first* to *last*, and when."""
        for (_, start), cells in self._slots.items():
            if first <= start <= last:
                yield start, cells

    def error(self, second: int) -> int:
        """What any code may have had at most, in the slots from *second* on, and is not told of."""
        return sum(cells.error for _, cells in self.between(second, self.now))

    def renumber(self, to: Codes) -> None:
        """Give rows other numbers, as ``Cells.renumber``."""
        for cells in self._slots.values():
            cells.renumber(to)

    def _slot(self, length: int, start: int) -> Cells:
        slot = self._slots.get((length, start))
        if slot is None:
            slot = self._slots[length, start] = self._new()
        return slot
