"""The view of one ranked table: its window and order, the row under the cursor, and the rows in sight."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import numpy as np

from ringtop.bpf.event.batch import Batch
from ringtop.tui.top.columns import sorts
from ringtop.tui.top.keys import Key
from ringtop.tui.top.order import Order
from ringtop.tui.top.report import START, Report, Row
from ringtop.tui.top.slots import WINDOWS
from ringtop.tui.top.summary import part
from ringtop.tui.top.top import Top

REPORT_S = 0.5
"""Least time between two reports, unless a key asks for one."""
STILL_ROWS = 2000
"""Rows of a frozen table that the cursor can reach; the rest are among the others."""
_WINDOWS = (START, *WINDOWS)


class Ranking:
    """The view of *program*, or ALL, of *top*. *clock* is in seconds.

    The cursor belongs to a key, not to a place. Its row stays under the cursor when other rows pass it, and stays in
    the table when it has no event in the window. Only keys move the rows in sight: where the cursor's row comes to rank
    above or below them, it is shown at that edge, so that the top of the ranking stays in sight.
    """

    def __init__(self, top: Top, program: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.top, self.program = top, program
        self.window = START
        self.sort = ""
        """Name of the column that rows are ranked by; empty ranks by what hurts most."""
        self.order = Order(clock)
        self.pinned: list[int] = []
        """Ids of rows that stay in the table and stand first, in the order they were pinned."""
        self.first = 0
        """Place of the first row in sight."""
        self.rows = 0
        """Number of rows that fit."""
        self._still: Report | None = None
        """The table as it was when it was frozen, with at most STILL_ROWS rows."""
        self._cursor: int | None = None
        self._clock = clock
        self._report: Report | None = None
        self._due = float("-inf")
        self._seen = -1

    # What is in sight

    @property
    def report(self) -> Report:
        """The report with the rows in sight, renewed at most every REPORT_S."""
        if self._report is None or (not self.frozen and self._seen != self.top.version and self._clock() >= self._due):
            self._renew()
        assert self._report is not None
        return self._report

    def fit(self, rows: int) -> None:
        """Set how many rows fit."""
        if rows != self.rows:
            self.rows = rows
            self._report = None

    @property
    def frozen(self) -> bool:
        """Whether the values stay as they are, also for rows that the cursor brings into sight."""
        return self._still is not None

    def freeze(self, hold: bool) -> None:
        """Freeze the values, or let them change again."""
        self._still = self._whole(STILL_ROWS) if hold else None
        self._report = None

    def renew(self) -> None:
        """Make the next ``report`` a new one; if it is frozen, with the values of this moment."""
        self.freeze(self.frozen)

    @property
    def cursor(self) -> int:
        """Place of the row under the cursor in the whole order; 0 while no row is chosen."""
        if self._cursor is None:
            return 0
        found = np.flatnonzero(self.report.order == np.uint64(self._cursor))
        return int(found[0]) if len(found) else 0

    @property
    def line(self) -> int:
        """Place of the row under the cursor among those in sight: at the edge when it ranks above or below them."""
        return max(0, min(self.cursor - self.first, len(self.report.rows) - 1))

    @property
    def row(self) -> Row | None:
        """The row under the cursor; None in an empty table."""
        rows = self.report.rows
        return rows[self.line] if rows else None

    @property
    def sight(self) -> str:
        """The places in sight, counted from 1: '1-8', or '1-7, 40' when the row under the cursor ranks 40th."""
        first, count, at = self.first, len(self.report.rows), self.cursor
        if not count:
            return "0-0"
        if at < first:
            return f"{at + 1}, {first + 2}-{first + count}" if count > 1 else f"{at + 1}"
        if at >= first + count:
            return f"{first + 1}-{first + count - 1}, {at + 1}" if count > 1 else f"{at + 1}"
        return f"{first + 1}-{first + count}"

    def _renew(self) -> None:
        self._due, self._seen = self._clock() + REPORT_S, self.top.version
        report = self._ask()
        if self.first > (last := max(0, len(report.order) - max(1, self.rows))):
            self.first = last
            report = self._ask()
        self._report = report

    def _ask(self) -> Report:
        top, first, rows = self.top, self.first, max(1, self.rows)
        if self._still is not None:
            return part(self._still, first, rows, self._cursor)
        return top.report(self.program, self.window, self.sort, rows, first, self.order, self._cursor, self.pinned)

    def _whole(self, rows: int) -> Report:
        """The report with the first *rows* rows."""
        return self.top.report(self.program, self.window, self.sort, rows, 0, self.order, None, self.pinned)

    def look_at(self, top: Top) -> None:
        """Show the tables of *top* from now on."""
        if top is not self.top:
            self.top = top
            self.order.reset()
            self.renew()

    # What keys do

    def go(self, place: int) -> None:
        """Put the cursor on the row at *place*, and have it in sight; the order stays for a while."""
        order, rows = self.report.order, max(1, self.rows)
        if not len(order):
            return
        place = max(0, min(place, len(order) - 1))
        self.first = max(0, min(self.first, place), place - rows + 1)
        self._choose(int(order[place]))

    def point(self, line: int) -> None:
        """Put the cursor on the row at *line* of those in sight; the order stays for a while."""
        self._choose(self.report.rows[line].id)

    def move(self, by: int) -> None:
        """Move the cursor *by* rows, up when negative, as they are seen on the screen."""
        inwards = self.first + self.line  # the place of the cursor's line; its row may rank further up or down
        self.go((max if by > 0 else min)(self.cursor, inwards) + by)

    def _choose(self, row: int) -> None:
        self.order.touch()
        self._cursor = row
        self._report = None

    def release(self) -> None:
        """Let values and order change again, with no row chosen."""
        self._cursor, self.first = None, 0
        self.order.release()
        self.freeze(False)

    def next_window(self) -> None:
        """Switch to the next window: since the start, 10 s, 1 min, 5 min."""
        self.window = _WINDOWS[(_WINDOWS.index(self.window) + 1) % len(_WINDOWS)]
        self.order.reset()
        self.renew()

    def rank_by(self, name: str) -> bool:
        """Rank by the column *name*; False when this table cannot be ranked by it."""
        if name not in sorts(self.report.measures):
            return False
        self.sort = name
        self.order.reset()
        self.renew()
        return True

    def fold(self, key: Key, history: Iterable[Batch]) -> None:
        """Fold by *key*, from *history* on."""
        self.top.fold_by(self.program, key.name, history)
        self._cursor, self.first = None, 0
        self.pinned.clear()
        self.order.reset()
        self.renew()

    def zero(self) -> None:
        """Start all counts of this table again from 0."""
        self.top.zero(self.program)
        self._cursor, self.first = None, 0
        self.pinned.clear()
        self.order.reset()
        self.renew()

    def pin(self) -> None:
        """Pin the row under the cursor to the top, or unpin it."""
        if (row := self.row) is not None:
            if row.id in self.pinned:
                self.pinned.remove(row.id)
            else:
                self.pinned.append(row.id)
            self._choose(row.id)
            self.renew()

    def next_marked(self) -> bool:
        """Go to the next row with a mark, or from the last one to the first; False when no row has a mark."""
        whole = self._still or self._whole(len(self.report.order))
        marked = [place for place, row in enumerate(whole.rows) if row.marks]
        if not marked:
            return False
        self.go(next((place for place in marked if place > self.cursor), marked[0]))
        return True
