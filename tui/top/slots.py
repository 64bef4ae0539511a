"""Cells for each second of the last minute, and for each ten seconds of the last five minutes.

Time is taken from the events, so a replay gives the same result. A slot holds only rows that had events in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ringtop.tui.top.cells import Cells
from ringtop.tui.top.groups import Codes

SECOND = 1_000_000_000
WINDOWS = {"10s": 10, "1min": 60, "5min": 300}
"""Length of each window in seconds. A window also covers the slot that is being filled."""
_MINUTE = WINDOWS["1min"]
_LONG = 10
"""Seconds that one of the older slots covers."""


def begin(window: str, second: int) -> int:
    """The second that *window* begins with when the time is *second*."""
    seconds = WINDOWS[window]
    grain = 1 if seconds <= _MINUTE else _LONG
    return second // grain * grain - seconds


def by_time(seconds: Codes, grain: int = 1) -> Iterator[tuple[int, slice | NDArray[np.bool_]]]:
    """The kept slots of *grain* seconds that *seconds* fall into: where each begins, and which of *seconds* it covers.

    When all seconds are the same, as in most batches, they are an array of stride 0.
    """
    if not seconds.strides[0] or len(seconds) == 1:
        yield int(seconds[0]) // grain * grain, slice(None)
        return
    starts = seconds // grain * grain
    newest = int(starts.max())
    for start in np.unique(starts[starts >= newest - 2 * WINDOWS["5min"]]).tolist():
        yield start, starts == start


class Slots:
    """Cells by time. *new* makes the cells of a slot; *coarse* keeps only slots of ten seconds."""

    def __init__(self, new: Callable[[], Cells], coarse: bool = False) -> None:
        self.now = 0
        """The newest second."""
        self._new = new
        self._fine = 0 if coarse else _MINUTE
        self._slots: dict[tuple[int, int], Cells] = {}
        """Slots by length and first second."""

    def slot(self, second: int) -> Cells | None:
        """The cells of *second*; None when it is too long ago."""
        if self._fine and second >= self.now - self._fine:
            return self._slot(1, second)
        if second >= begin("5min", self.now):
            return self._slot(_LONG, second // _LONG * _LONG)
        return None

    def advance(self, second: int) -> None:
        """Set the time to *second*: slots older than a minute are merged into long ones, and the oldest are deleted."""
        self.now = max(self.now, second)
        oldest = begin("5min", self.now)
        for length, start in sorted(self._slots):
            if start < oldest:
                del self._slots[length, start]
            elif length == 1 and start < self.now - self._fine:
                self._slot(_LONG, start // _LONG * _LONG).absorb(self._slots.pop((length, start)))

    def between(self, first: int, last: int) -> Iterator[tuple[int, Cells]]:
        """The slots that begin from *first* to *last*, each with its first second."""
        for (_, start), cells in self._slots.items():
            if first <= start <= last:
                yield start, cells

    def error(self, second: int) -> int:
        """Upper bound on what any code may lack in the slots from *second* on, because codes were cut there."""
        return sum(cells.error for _, cells in self.between(second, self.now))

    def renumber(self, to: Codes) -> None:
        """Give rows new numbers, as ``Cells.renumber`` does."""
        for cells in self._slots.values():
            cells.renumber(to)

    def _slot(self, length: int, start: int) -> Cells:
        slot = self._slots.get((length, start))
        if slot is None:
            slot = self._slots[length, start] = self._new()
        return slot
