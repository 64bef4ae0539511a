"""What happened in each second of the last minute, and in each ten seconds of the last five minutes.

Time is that of the events: a replay gives the same. A slot holds only what had events in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ringtop.tui.top.cells import Cells
from ringtop.tui.top.groups import Codes, Counts

SECOND = 1_000_000_000
WINDOWS = {"10s": 10, "1min": 60, "5min": 300}
"""Seconds of each window: so many, and what has gone by of the slot that is being filled."""
_MINUTE = WINDOWS["1min"]
_LONG = 10
"""Seconds of a slot of the older ones."""
MOST = 8_192
"""Cells kept in a slot."""


def begin(window: str, now_ns: int) -> int:
    """The second that *window* begins with."""
    seconds = WINDOWS[window]
    grain = 1 if seconds <= _MINUTE else _LONG
    return now_ns // (grain * SECOND) * grain - seconds


def by_time(seconds: Codes, grain: int = 1) -> Iterator[tuple[int, slice | NDArray[np.bool_]]]:
    """The slots of *grain* seconds that *seconds* fall into, as far as any are kept, and which do.

    Seconds that are all one, as most batches', are an array of stride 0."""
    if not seconds.strides[0] or len(seconds) == 1:
        yield int(seconds[0]) // grain * grain, slice(None)
        return
    starts = seconds // grain * grain
    newest = int(starts.max())
    for start in np.unique(starts[starts >= newest - 2 * WINDOWS["5min"]]).tolist():
        yield start, starts == start


@dataclass(frozen=True, slots=True)
class Past:
    """Cells of many slots: not in order, and a code is there once for each slot."""

    seconds: Codes
    """When the slot of each begins."""
    codes: Codes
    sums: Counts
    """Shape (sums, cells)."""
    peaks: Counts

    def since(self, second: int) -> Past:
        """Those of the slots from *second* on."""
        kept = self.seconds >= second
        return Past(self.seconds[kept], self.codes[kept], self.sums[:, kept], self.peaks[kept])


class Slots:
    """Sums by row and time, at most *most* cells a slot. With *coarse*, only in slots of ten seconds."""

    def __init__(self, sums: int, most: int = MOST, shift: int = 0, coarse: bool = False) -> None:
        self._sums, self._most, self._shift = sums, most, shift
        self._fine = 0 if coarse else _MINUTE
        self._slots: dict[tuple[int, int], Cells] = {}
        """By length and first second."""
        self._now = 0

    def add(self, second: int, codes: Codes, sums: Counts, peaks: Counts | None = None) -> None:
        """Add to *codes* in the slot of *second*; what is too old for any slot is not kept."""
        if second > self._now:
            self.advance(second)
        if second >= self._now - self._fine and self._fine:
            self._slot(1, second).add(codes, sums, peaks)
        elif second >= begin("5min", self._now * SECOND):
            self._slot(_LONG, second // _LONG * _LONG).add(codes, sums, peaks)

    def advance(self, second: int) -> None:
        """It is *second* now: older slots become long ones, and go."""
        self._now = max(self._now, second)
        oldest = begin("5min", self._now * SECOND)
        for length, start in sorted(self._slots):
            if length == 1 and start < self._now - self._fine:
                cells = self._slots.pop((length, start))
                if start >= oldest:
                    self._slot(_LONG, start // _LONG * _LONG).absorb(cells)
            elif start < oldest:
                del self._slots[length, start]

    def read(self) -> Past:
        """All that is kept."""
        parts = [(start, *cells.read()) for (_, start), cells in self._slots.items()]
        if not parts:
            return Past(*(np.empty(0, np.int64),) * 2, np.empty((self._sums, 0), np.int64), np.empty(0, np.int64))
        return Past(
            np.repeat([start for start, *_ in parts], [len(codes) for _, codes, _, _ in parts]),
            np.concatenate([codes for _, codes, _, _ in parts]),
            np.concatenate([sums for _, _, sums, _ in parts], axis=1),
            np.concatenate([peaks for *_, peaks in parts]),
        )

    def error(self, second: int) -> int:
        """What any row may have had, at most, in the slots from *second* on, and is not told of."""
        return sum(cells.error for (_, start), cells in self._slots.items() if start >= second)

    def renumber(self, to: Codes) -> None:
        """Give rows other numbers, as ``Cells.renumber``."""
        for cells in self._slots.values():
            cells.renumber(to, keep=not self._shift)

    def _slot(self, length: int, start: int) -> Cells:
        slot = self._slots.get((length, start))
        if slot is None:
            slot = self._slots[length, start] = Cells(self._sums, self._most, self._shift)
        return slot
