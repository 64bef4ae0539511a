"""The running sums of all rows in each window: new events are added, and slots that leave a window are subtracted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ringtop.tui.top.cells import OTHERS, Cells
from ringtop.tui.top.groups import Codes, Counts
from ringtop.tui.top.measures import Measures
from ringtop.tui.top.slots import WINDOWS, Slots, begin

_MOST = 8_192
"""Rows that stay in a slot when it is cut, at twice as many."""
_LEAST = 64


class Windows:
    """The sums of the rows of a fold that keeps *measures*.

    Batches come many times a second. Events of the newest second are therefore added up by row first (*now*), and go
    into their slot when the second is over or a sum is needed.
    """

    def __init__(self, measures: Measures) -> None:
        kinds = [np.int64 if name in ("waited", "ran") else np.int32 for name in measures.names]
        self._peaks = measures.waits
        self.slots = Slots(lambda: Cells([*kinds, *([np.int64] * self._peaks)], _MOST, peak=self._peaks))
        self._sums = {window: np.zeros((len(kinds), _LEAST), np.int64) for window in WINDOWS}
        """Sums by window, shape (sums, 1 + rows); the sums of the others come first."""
        self._begin = {window: begin(window, 0) for window in WINDOWS}
        self._now = np.zeros((len(kinds) + self._peaks, _LEAST), np.int64)
        self._dirty = False

    def add(self, second: int, rows: Codes, sums: Counts, peaks: Counts | None) -> None:
        """Add *sums* in *second* to the distinct *rows*. *peaks*: their longest waits in *second*, ns."""
        self.advance(second)
        if second < self.slots.now:
            self._put(second, rows, sums, peaks)
            return
        self._grow(int(rows.max()) + 1)
        self._now[: len(sums), rows - OTHERS] += sums
        if peaks is not None:
            self._now[-1, rows - OTHERS] = np.maximum(self._now[-1, rows - OTHERS], peaks)
        self._dirty = True

    def advance(self, second: int) -> None:
        """Set the time to *second*, and subtract the slots that leave a window."""
        if second <= self.slots.now:
            return
        self.flush()
        for window, since in self._begin.items():
            now = begin(window, second)
            for start, cells in self.slots.between(since, now - 1):
                rows, sums = self._read(start, cells)
                self._sums[window][:, rows - OTHERS] -= sums
            self._begin[window] = now
        self.slots.advance(second)

    def flush(self) -> None:
        """Move the sums of the newest second into its slot; callers must do this before they read any sums."""
        if self._dirty:
            rows = np.flatnonzero(self._now.any(axis=0)) + OTHERS
            found = self._now[:, rows - OTHERS]
            self._now[:] = 0
            self._dirty = False
            self._put(self.slots.now, rows, found[: len(self._sums["10s"])], found[-1] if self._peaks else None)

    def _put(self, second: int, rows: Codes, sums: Counts, peaks: Counts | None) -> None:
        if (slot := self.slots.slot(second)) is not None:
            longest = [np.zeros(len(rows), np.int64) if peaks is None else peaks] if self._peaks else []
            slot.add(rows, [*sums, *longest])
            self._move(second, rows, sums)
            self._settle(second, slot)

    def sums(self, window: str, size: int) -> tuple[Counts, Counts]:
        """The sums of *size* rows in *window*, shape (sums, size), and of the others, shape (sums,)."""
        self._grow(size)
        found = self._sums[window]
        return found[:, 1 : size + 1], found[:, 0]

    def peaks(self, window: str, size: int) -> Counts:
        """The longest wait of each row in *window*, ns; 0 for rows without waits."""
        found = np.zeros(size + 1, np.int64)
        if self._peaks:
            for _, cells in self.slots.between(self._begin[window], self.slots.now):
                rows, values = cells.read()
                found[rows - OTHERS] = np.maximum(found[rows - OTHERS], values[-1])
        return found[1:]

    def picked(self, first: int, rows: Codes) -> Iterator[tuple[int, Counts]]:
        """The slots from *first* on: the second that each begins with, and its sums of *rows* and, last, of all rows
        and others; shape (sums, rows + 1)."""
        for start, cells in self.slots.between(first, self.slots.now):
            codes, sums = self._read(start, cells)
            at = np.minimum(np.searchsorted(codes, rows), len(codes) - 1)
            yield start, np.column_stack([np.where(codes[at] == rows, sums[:, at], 0), sums.sum(axis=1)])

    def of(self, first: int, last: int, size: int) -> Counts:
        """Sums of others and of *size* rows in the slots that begin from *first* to *last*; shape (sums, 1 + size)."""
        found = np.zeros((len(self._sums["10s"]), size + 1), np.int64)
        for start, cells in self.slots.between(first, last):
            rows, sums = self._read(start, cells)
            found[:, rows - OTHERS] += sums
        return found

    def renumber(self, to: Codes) -> None:
        """Give rows new numbers, as ``Cells.renumber`` does."""
        self.flush()
        self._grow(len(to))
        self.slots.renumber(to)
        stay = np.flatnonzero(to >= 0)
        for window, old in self._sums.items():
            new = np.zeros((len(old), max(_LEAST, len(stay) + 1)), np.int64)
            new[:, 1 : len(stay) + 1] = old[:, stay + 1]
            new[:, 0] = old.sum(axis=1) - new.sum(axis=1)
            self._sums[window] = new
        self._now = np.zeros((len(self._now), _LEAST), np.int64)

    def _read(self, start: int, cells: Cells) -> tuple[Codes, Counts]:
        rows, values = cells.read()
        if cells.cut:
            self._settle(start, cells)
        return rows, np.array(values[: len(self._sums["10s"])], np.int64)

    def _settle(self, start: int, cells: Cells) -> None:
        """Correct the sums of windows after rows became OTHERS in the slot that begins at *start*."""
        while cells.cut:
            rows, values = cells.cut.pop()
            sums = np.array(values[: len(self._sums["10s"])], np.int64)
            self._move(start, rows, -sums)
            self._move(start, np.array([OTHERS]), sums.sum(axis=1)[:, None])

    def _move(self, start: int, rows: Codes, sums: Counts) -> None:
        if len(rows):
            self._grow(int(rows.max()) + 1)
        for window, since in self._begin.items():
            if start >= since:
                self._sums[window][:, rows - OTHERS] += sums

    def _grow(self, size: int) -> None:
        for window, old in self._sums.items():
            self._sums[window] = _wide(old, size + 1)
        self._now = _wide(self._now, size + 1)


def _wide(values: Counts, size: int) -> Counts:
    """*values* with room for *size* columns."""
    more = size - values.shape[1]
    if more <= 0:
        return values
    return np.concatenate([values, np.zeros((len(values), max(more, values.shape[1])), np.int64)], axis=1)
