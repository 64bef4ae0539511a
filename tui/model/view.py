"""A view selects and orders the rows of a table: display filter, gaps, freeze and sort.

It scans history in slices, newest first, so that a new filter shows the latest rows at once and never blocks the
screen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf import stream
from ringtop.bpf.event.batch import Batch
from ringtop.tui.model import sorting
from ringtop.tui.model.line import gap_before, is_row, line_of, row_of
from ringtop.tui.model.notes import Gap, about
from ringtop.tui.model.span import Keys, Span
from ringtop.tui.model.store import Table

SLICE = 4096
"""The number of rows scanned at a time."""

Predicate = Callable[[Batch], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Sort:
    """The field and the direction of a sort."""

    field: str
    descending: bool = True


class View:
    """The lines that are shown of one table."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.predicate: Predicate | None = None
        self.sort: Sort | None = None
        self.frozen = False
        self.matched = 0
        """The number of rows, without gaps, among the lines."""
        self._lines = Span()
        self._low = self._high = table.end
        """The scanned rows: from low (inclusive) to high (exclusive)."""
        self._stop = 0
        """While frozen: the first row that is not shown."""
        self._placed = 0
        """How many of the table's ``placed`` notes have been put among the lines."""
        self._arrived = 0
        self._last: tuple[int, Gap] | None = None
        """The gap line after the last row, with its notes; None without notes."""
        self._order: Keys | None = None
        self.sorted_by: Sort | None = None
        """The sort by which the lines are ordered at present."""

    # What is shown

    def __len__(self) -> int:
        return len(self._lines) + (self._last is not None) if self._order is None else len(self._order)

    def lines(self, start: int, stop: int) -> Keys:
        """The lines at positions *start* to *stop* (exclusive)."""
        start, stop = max(0, start), max(0, stop)
        if self._order is not None:
            return self._order[start:stop].copy()
        found = self._lines.values[start:stop].copy()
        if self._last is not None and start <= len(self._lines) < stop:
            found = np.append(found, self._last[0])
        return found

    def seek(self, line: int) -> int:
        """The position of *line*, or of the next line shown. In a sorted view a gap counts as the row after it."""
        if self._order is None:
            return self._lines.find(line)
        found = np.flatnonzero(self._order == line_of(row_of(line)))
        return int(found[0]) if len(found) else 0

    def next_gap(self, position: int, by: int) -> int | None:
        """The position of the next gap after *position* (*by* is 1) or before it (-1); None when there is none, as in
        a sorted view."""
        gaps = np.flatnonzero(~is_row(self.lines(0, len(self))))
        at = int(np.searchsorted(gaps, position, "right" if by > 0 else "left")) - (by < 0)
        return int(gaps[at]) if 0 <= at < len(gaps) else None

    def time(self, line: int) -> int | None:
        """The time of the gap at *line* by the kernel's clock, ns: that of the row after it, or of a change after which
        no event has arrived; None when it is unknown."""
        if (row := row_of(line)) < self.table.end:
            return int(self.table.ring.column("ts", row, row + 1)[0])
        told = (about(note) for note in self.gap(line).marks)
        return next((note.ts_ns for note in told if isinstance(note, stream.Changed)), None)

    def gap(self, line: int) -> Gap:
        """The gap at *line*: all losses and notes since the previous row shown."""
        if self._last is not None and line == self._last[0]:
            return self._last[1]
        row = row_of(line)
        at = self._lines.find(line)
        before = row_of(int(self._lines.values[at - 1])) if at > 0 else self.table.first - 1
        numbers = np.arange(max(before + 1, self.table.first), row + 1)
        lost = self.table.ring.lost(numbers)
        holes = numbers[lost > 0]
        of, cpus = (self.table.ring.values(name, holes).tolist() for name in ("host", "cpu"))
        marks = [note for n in sorted(self.table.marks) if before < n <= row for note in self.table.marks[n]]
        return Gap(int(lost.sum(dtype=np.int64)), tuple(dict.fromkeys(zip(of, cpus, strict=True))), tuple(marks))

    @property
    def end(self) -> int:
        """The number after the last row that may be shown."""
        return self._stop if self.frozen else self.table.end

    @property
    def scanning(self) -> bool:
        """Whether rows are still to be scanned."""
        return self._high < self.end or self._low > self.table.first

    @property
    def new(self) -> int:
        """Events that arrived since the freeze."""
        return self.table.received - self._arrived if self.frozen else 0

    # What changes it

    def filter(self, predicate: Predicate | None) -> None:
        """Show only the rows that match *predicate*; all rows are scanned again, newest first."""
        self.predicate = predicate
        self._lines.clear()
        self.matched = 0
        self._low = self._high = self.end
        self._order = self.sorted_by = None

    def replace(self, table: Table) -> None:
        """Show *table* instead of the present one, from its beginning."""
        self.table = table
        self.frozen = False
        self._stop = self._placed = 0
        self._last = None
        self.filter(self.predicate)

    def freeze(self) -> None:
        """Freeze the view: no new rows appear."""
        if not self.frozen:
            self._note_end()
            self._stop, self._arrived = self.table.end, self.table.received
            self.frozen = True

    def resume(self) -> None:
        """End the freeze: new rows appear again, and held rows may be evicted."""
        self.frozen = False
        self.table.floor = None

    def hold(self, row: int) -> None:
        """While frozen, keep the rows from *row* on from being evicted: they are on the screen."""
        if self.frozen:
            self.table.floor = row

    def settle(self) -> None:
        """Remove evicted rows; show the notes after the last row, and the notes placed among rows already scanned."""
        if not self.frozen:
            self._note_end()
        first = self.table.first
        gone = self._lines.find(gap_before(first))
        if gone:
            self.matched -= int(is_row(self._lines.values[:gone]).sum())
            self._lines.drop_before(gap_before(first))
        self._low = max(self._low, first)
        if self._high < first:
            self._low = self._high = first
        for row in self.table.placed[self._placed :]:
            self._note(row)
        self._placed = len(self.table.placed)

    def _note_end(self) -> None:
        notes = tuple(self.table.at_end)
        self._last = (gap_before(self.table.end), Gap(0, (), notes)) if notes else None

    def _note(self, row: int) -> None:
        lines = self._lines.values
        at = self._lines.find(gap_before(row))
        if not self._low <= row < self._high or (at < len(lines) and not is_row(int(lines[at]))):
            return  # found when it is looked at, or told by the gap that is there
        if at and not is_row(int(lines[at - 1])):
            lines[at - 1] = gap_before(row)  # no row between them: the later stands for both
        else:
            self._lines.insert(at, gap_before(row))

    def scan(self, rows: int = SLICE) -> bool:
        """Look at some rows: new ones first, then older ones. True while there are more."""
        self.settle()
        if self._high < self.end:
            stop = min(self.end, self._high + rows)
            self._lines.append(self._look(self._high, stop, self._lines_end()))
            self._high = stop
        elif self._low > self.table.first:
            start = max(self.table.first, self._low - rows)
            found = self._look(start, self._low, -1)
            if len(found) and len(self._lines) and not is_row(np.array([found[-1], self._lines.values[0]])).any():
                found = found[:-1]
            self._lines.prepend(found)
            self._low = start
        return self.scanning

    def _lines_end(self) -> int:
        return int(self._lines.values[-1]) if len(self._lines) else -1

    def _look(self, start: int, stop: int, before: int) -> Keys:
        numbers = np.arange(start, stop)
        if self.predicate is None:
            shown = np.ones(len(numbers), bool)
        else:
            shown = self.predicate(self.table.ring.slice(start, stop))
        gaps = self.table.ring.lost(numbers) > 0
        for row in self.table.marks:
            if start <= row < stop:
                gaps[row - start] = True
        keys = np.sort(np.concatenate((line_of(numbers[shown]), gap_before(numbers[gaps]))))
        self.matched += int(shown.sum())
        if self.predicate is not None and len(keys):
            # Of several gaps with no row shown between them, only the last is kept: it covers them all.
            gap = ~is_row(keys)
            keep = np.ones(len(keys), bool)
            keep[:-1] = ~(gap[:-1] & gap[1:])
            if gap[0] and before >= 0 and not is_row(before):
                self._lines.pop()
            keys = keys[keep]
        return keys

    # Sorting

    def resort(self) -> Callable[[], Keys] | None:
        """A function that computes the sorted order, which ``sorted`` takes; None when there is no sort."""
        self.sorted_by = self.sort
        if self.sort is None:
            self._order = None
            return None
        values = self._lines.values
        numbers = row_of(values[is_row(values)])
        numbers = numbers[numbers >= self.table.first]
        return sorting.order(self.table.ring, numbers, self.sort.field, self.sort.descending)

    def sorted(self, numbers: Keys) -> None:
        """Show the rows *numbers* in this order."""
        if self.sort is not None:
            self._order = line_of(numbers[numbers >= self.table.first])
