"""The place in a view: the lines on the screen and the line under the cursor. It knows no widgets."""

from __future__ import annotations

from ringtop.tui.model.line import gap_before, row_of
from ringtop.tui.model.view import View


class Place:
    """The place follows the newest line, or the first line of a sort, until it is frozen.

    A frozen place keeps two chosen lines: the topmost one and the cursor's. A display filter may hide them; the place
    then shows the position where they would be, and returns to them when they reappear.
    """

    def __init__(self, view: View) -> None:
        self.view = view
        self.rows = 0
        """The number of lines that fit on the screen."""
        self.top = 0
        """Position of the topmost line."""
        self._top_line = self._cursor_line = -1

    @property
    def cursor(self) -> int:
        """Position of the line under the cursor; -1 in an empty table."""
        count = len(self.view)
        if not self.view.frozen:
            return min(0, count - 1) if self.view.sort else count - 1
        return min(self.view.seek(self._cursor_line), count - 1)

    @property
    def line(self) -> int | None:
        """The line under the cursor; None in an empty table."""
        return self._line(self.cursor)

    @property
    def at_end(self) -> bool:
        """Whether the last line is on the screen."""
        return self.top + self.rows >= len(self.view)

    def settle(self, rows: int) -> None:
        """Find the place again among the current lines, with room for *rows*; rows on a frozen screen stay resident."""
        self.rows = rows
        view, last = self.view, max(0, len(self.view) - rows)
        if not view.frozen:
            self.top = 0 if view.sort else last
            return
        self.top = min(view.seek(self._top_line), last)
        if rows:
            at = self.cursor
            self.top = max(0, min(self.top, at), at - rows + 1)
        seen = view.lines(self.top, self.top + max(1, rows)).tolist()
        view.hold(row_of(min([*seen, self._top_line, self._cursor_line])))

    def freeze(self) -> None:
        """Freeze the rows at the present place."""
        if not self.view.frozen:
            top, at = self.top, self.cursor
            self.view.freeze()
            self._choose(top, at)

    def follow(self) -> None:
        """End the freeze and follow new rows again."""
        self.view.resume()
        self.settle(self.rows)

    def go(self, position: int) -> None:
        """Put the cursor on the line at *position*, and freeze."""
        if not len(self.view):
            return
        self.freeze()
        at = max(0, min(position, len(self.view) - 1))
        top = min(self.top, at)
        self._choose(max(top, at - self.rows + 1) if self.rows else top, at)

    def move(self, by: int) -> None:
        """Move the cursor by *by* lines; while following the newest line it cannot move down."""
        if by < 0 or self.view.frozen or self.view.sort:
            self.go(self.cursor + by)

    def go_to_gap(self, by: int) -> bool:
        """Put the cursor on the next gap (*by* is 1) or the one before (-1); False when there is none."""
        found = self.view.next_gap(self.cursor, by)
        if found is not None:
            self.go(found)
        return found is not None

    def scroll(self, lines: int) -> None:
        """Scroll the screen and the cursor by *lines*; scrolling past the end follows the newest line again."""
        if lines > 0 and not self.view.sort and (self.at_end or not self.view.frozen):
            self.follow()
            return
        self.freeze()
        top = max(0, min(self.top + lines, len(self.view) - self.rows))
        self._choose(top, max(top, min(self.cursor, top + max(1, self.rows) - 1)))

    def page(self, by: int) -> None:
        """Scroll by *by* pages, and move the cursor as far."""
        at, lines = self.cursor, by * max(1, self.rows - 1)
        self.scroll(lines)
        if self.view.frozen:
            self.go(at + lines)

    def _choose(self, top: int, cursor: int) -> None:
        after = gap_before(self.view.end)
        lines = self._line(top), self._line(cursor)
        self._top_line, self._cursor_line = (after if line is None else line for line in lines)
        self.settle(self.rows)

    def _line(self, position: int) -> int | None:
        found = self.view.lines(position, position + 1)
        return int(found[0]) if len(found) else None
