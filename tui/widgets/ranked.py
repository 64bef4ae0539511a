"""A ranked table: keys and the mouse move over its rows, and request actions for a row."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from ringtop.tui.draw.columns import SPACE
from ringtop.tui.draw.ranks import MARKS
from ringtop.tui.widgets.keys import TRACE, UNIT
from ringtop.tui.widgets.ranks import Ranks


class RankedTable(Ranks, can_focus=True):
    """The events of one program, or of all, folded into ranked rows."""

    HELP = "Events with the same key are one row; the worst rows are at the top. Enter shows the events of a row."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "app.freeze", "Freeze", id="freeze", tooltip="Freeze the rows of all tables, or resume"),
        Binding("enter", "ask('events')", "Events", id="row_events", tooltip="Show the events of this row"),
        Binding("o", "hold", "Hold order", id="hold", tooltip="Keep the rows in this order, or sort again"),
        Binding("f", "ask('fold')", "Fold by", id="fold", tooltip="Fold the events by the next key"),
        Binding(
            "left_square_bracket",
            "ask('coarser')",
            "Coarser",
            False,
            key_display="[",
            id="coarser",
            tooltip="Fold by the coarser key, if there is one",
        ),
        Binding(
            "right_square_bracket",
            "ask('finer')",
            "Finer",
            False,
            key_display="]",
            id="finer",
            tooltip="Fold by the finer key, if there is one",
        ),
        Binding("i", "window", "Window", id="window", tooltip="Count all, or the last 10 s, 1 min, 5 min"),
        Binding("z", "zero", "Reset", False, id="zero", tooltip="Count this table's events from now on"),
        Binding("m", "pin", "Pin", False, id="pin", tooltip="Keep this row at the top, or no longer"),
        Binding("n", "next", "Next mark", False, id="next_mark", tooltip="Go to the next row marked ! + or ^"),
        Binding("s", "sort", "Sort", id="sort", tooltip="Rank by the column under the cursor"),
        Binding(
            "equals_sign",
            "ask('equals')",
            "Only this",
            key_display="=",
            id="equals",
            tooltip="Filter to the value under the cursor",
        ),
        Binding(
            "exclamation_mark",
            "ask('except')",
            "All but this",
            False,
            key_display="!",
            id="except",
            tooltip="Filter out the value under the cursor",
        ),
        Binding(
            "p", "ask('pivot')", "Process only", False, id="pivot", tooltip="Filter all tables to this row's process"
        ),
        Binding("P", "ask('trace')", "Trace only", False, id="trace", tooltip=TRACE),
        Binding("U", "ask('unit')", "Unit only", False, id="unit", tooltip=UNIT),
        Binding("y", "ask('copy')", "Copy", False, id="copy", tooltip="Copy this row to the clipboard"),
        Binding("Y", "ask('copy_view')", "Copy view", False, id="copy_view", tooltip="Copy all rows on the screen"),
        Binding(
            "F,end", "follow", "Resume", False, id="follow", tooltip="Update order and values, with no row selected"
        ),
        Binding("up,k", "move(-1)", "Up", False, id="up"),
        Binding("down,j", "move(1)", "Down", False, id="down"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", False, id="page_up"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", False, id="page_down"),
        Binding("home,g", "first", "First", False, id="first"),
        Binding("left,h", "across(-1)", "Left", False, id="left", tooltip="Go one column to the left"),
        Binding("right,l", "across(1)", "Right", False, id="right", tooltip="Go one column to the right"),
    ]

    class Asked(Message):
        """Asks the screen to do something with the row under the cursor."""

        def __init__(self, table: RankedTable, what: str) -> None:
            super().__init__()
            self.table = table
            self.what = what
            """The action named in the key's binding; empty when only the row or the order has changed."""

    def _changed(self) -> None:
        self.repaint()
        self.post_message(self.Asked(self, ""))

    def action_ask(self, what: str) -> None:
        """Ask the screen to do *what* with the row under the cursor."""
        self.post_message(self.Asked(self, what))

    def action_move(self, by: int) -> None:
        """Move the cursor by *by* rows."""
        self.ranking.move(by)
        self._changed()

    def action_page(self, by: int) -> None:
        """Move the cursor by *by* pages."""
        self.ranking.move(by * self.rows)
        self._changed()

    def action_first(self) -> None:
        """Go to the first row."""
        self.ranking.go(0)
        self._changed()

    def action_follow(self) -> None:
        """Release the ranking: nothing is held any more."""
        self.ranking.release()
        self._changed()

    def action_across(self, by: int) -> None:
        """Move the cursor by *by* columns."""
        names = [p.column.name for p in self.placed]
        if names:
            self.column = names[max(0, min(names.index(self.here) + by, len(names) - 1))]
            self._changed()

    def action_sort(self) -> None:
        """Rank by the column under the cursor."""
        if self.ranking.rank_by(self.here):
            self._changed()
        else:
            self.app.bell()

    def action_window(self) -> None:
        """Show the next window of time."""
        self.ranking.next_window()
        self._changed()

    def action_hold(self) -> None:
        """Hold the order of the rows, or release it."""
        order = self.ranking.order
        if order.held:
            order.release()
        else:
            order.held = True
        self.ranking.renew()
        self._changed()

    def action_zero(self) -> None:
        """Set the counts to zero and count from now on."""
        self.ranking.zero()
        self._changed()

    def action_pin(self) -> None:
        """Pin the row under the cursor, or unpin it."""
        self.ranking.pin()
        self._changed()

    def action_next(self) -> None:
        """Go to the next marked row."""
        if self.ranking.next_marked():
            self._changed()
        else:
            self.app.bell()

    # Mouse

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move to the rows above."""
        event.stop()
        self.action_move(-3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move to the rows below."""
        event.stop()
        self.action_move(3)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Choose a row or a column's title."""
        x = event.x - MARKS
        names = [p.column.name for p in self.placed if p.x <= x < p.x + p.width + SPACE]
        if names:
            self.column = names[0]
            self.repaint()
        if event.y == 0:
            self.action_sort()
        elif event.y <= len(self.ranking.report.rows):
            self.ranking.point(event.y - 1)
            self._changed()

    async def on_click(self, event: events.Click) -> None:
        """Show the events of the row after a double click."""
        if event.chain == 2 and event.y > 0:
            self.action_ask("events")

    def on_resize(self) -> None:
        """Redraw with the new widths."""
        self.update()
        self._changed()

    def on_focus(self) -> None:
        """Redraw with a bright cursor."""
        self.repaint()

    def on_blur(self) -> None:
        """Redraw with a dimmer cursor."""
        self.repaint()
