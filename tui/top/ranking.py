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
from ringtop.tui.top.top import Top

REPORT_S = 0.5
"""Least time between two reports, unless a key asks for one."""
_WINDOWS = (START, *WINDOWS)


class Ranking:
    """The view of *program*, or ALL, of *top*. *clock* is in seconds.

    The cursor belongs to a key, not to a place. Its row stays under the cursor when other rows pass it, and stays in
    the table when it has no event in the window.
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
        self.frozen = False
        """The shown values stay as they are while this is True."""
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
            self.renew()

    def renew(self) -> None:
        """Make the next ``report`` a new one."""
        self._report = None

    @property
    def cursor(self) -> int:
        """Place of the row under the cursor in the whole order; 0 while no row is chosen."""
        return self._place(self.report, self._cursor)

    @property
    def row(self) -> Row | None:
        """The row under the cursor; None in an empty table."""
        at = self.cursor - self.first
        rows = self.report.rows
        return rows[at] if 0 <= at < len(rows) else None

    @staticmethod
    def _place(report: Report, row: int | None) -> int:
        if row is None:
            return 0
        found = np.flatnonzero(report.order == np.uint64(row))
        return int(found[0]) if len(found) else 0

    def _renew(self) -> None:
        self._due, self._seen = self._clock() + REPORT_S, self.top.version
        report = self._ask()
        last = max(0, len(report.order) - self.rows)
        first = min(self.first, last)
        if self._cursor is not None and self.rows:  # rows that pass the cursor's row do not push it away
            at = self._place(report, self._cursor)
            first = max(0, min(first, at), at - self.rows + 1)
        if first != self.first:
            self.first = first
            report = self._ask()
        self._report = report

    def _ask(self) -> Report:
        keep = [*self.pinned, *([self._cursor] if self._cursor is not None else [])]
        rows = max(1, self.rows)
        top, first = self.top, self.first
        return top.report(self.program, self.window, self.sort, rows, first, self.order, keep, self.pinned)

    def look_at(self, top: Top) -> None:
        """Show the tables of *top* from now on."""
        if top is not self.top:
            self.top = top
            self.order.reset()
            self.renew()

    # What keys do

    def go(self, place: int) -> None:
        """Put the cursor on the row at *place*; the order stays for a while."""
        order = self.report.order
        if not len(order):
            return
        self.order.touch()
        self._cursor = int(order[max(0, min(place, len(order) - 1))])
        self.renew()

    def move(self, by: int) -> None:
        """Move the cursor *by* rows, up when negative."""
        self.go(self.cursor + by)

    def release(self) -> None:
        """Let values and order change again, with no row chosen."""
        self.frozen = False
        self._cursor, self.first = None, 0
        self.order.release()
        self.renew()

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
            self.go(self.cursor)

    def next_marked(self) -> bool:
        """Go to the next row with a mark, or from the last one to the first; False when no row has a mark."""
        rows, top = len(self.report.order), self.top
        whole = top.report(self.program, self.window, self.sort, rows, 0, self.order, self.pinned, self.pinned)
        marked = [place for place, row in enumerate(whole.rows) if row.marks]
        if not marked:
            return False
        self.go(next((place for place in marked if place > self.cursor), marked[0]))
        return True
