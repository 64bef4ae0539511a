"""A table of events: keys and the mouse move over its lines, and ask for what is to be done with one."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from ringtop.bpf.event.schema import Field
from ringtop.tui.draw import columns
from ringtop.tui.model.line import is_row, row_of
from ringtop.tui.model.store import Event
from ringtop.tui.model.view import Sort
from ringtop.tui.widgets import scrollbar
from ringtop.tui.widgets.keys import TRACE, UNIT
from ringtop.tui.widgets.rows import Rows

SCROLL = 8
"""Cells that a long text is moved by."""


class EventTable(Rows, can_focus=True):
    """The events of one program.

    It follows the newest event until it is scrolled or frozen; then the row under the cursor stays where it is.
    """

    HELP = "Events, the newest last. Moving up freezes the rows; the counters go on."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "app.freeze", "Freeze", id="freeze", tooltip="Freeze the rows of all tables, or resume"),
        Binding("F,end", "follow", "Follow", id="follow", tooltip="Show new events as they come"),
        Binding("s", "sort", "Sort", id="sort", tooltip="Sort by the column under the cursor: down, up, or not"),
        Binding(
            "equals_sign",
            "select('equals')",
            "Only this",
            key_display="=",
            id="equals",
            tooltip="Filter to the value under the cursor",
        ),
        Binding(
            "exclamation_mark",
            "select('except')",
            "All but this",
            show=False,
            key_display="!",
            id="except",
            tooltip="Filter out the value under the cursor",
        ),
        Binding("p", "pivot", "Process only", id="pivot", tooltip="Filter all tables to this row's process"),
        Binding("P", "trace", "Trace only", show=False, id="trace", tooltip=TRACE),
        Binding("U", "unit", "Unit only", show=False, id="unit", tooltip=UNIT),
        Binding("enter", "app.process", "Process", id="process", tooltip="Show the process of this row and its events"),
        Binding("y", "copy", "Copy", id="copy", tooltip="Copy this row to the clipboard"),
        Binding("Y", "copy_view", "Copy view", show=False, id="copy_view", tooltip="Copy all rows on the screen"),
        Binding("up,k", "move(-1)", "Up", show=False, id="up"),
        Binding("down,j", "move(1)", "Down", show=False, id="down"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, id="page_up"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False, id="page_down"),
        Binding("home,g", "first", "Oldest", show=False, id="first"),
        Binding("n", "gap(1)", "Next gap", show=False, id="next_gap", tooltip="Go to the next gap"),
        Binding("N", "gap(-1)", "Previous gap", show=False, id="previous_gap", tooltip="Go to the gap before"),
        Binding("left,h", "across(-1)", "Left", show=False, id="left", tooltip="Go one column to the left"),
        Binding(
            "right,l",
            "across(1)",
            "Right",
            show=False,
            id="right",
            tooltip="Go one column to the right, then scroll its text",
        ),
    ]

    class Selected(Message):
        """Reports that the row under the cursor has changed; there may be none."""

        def __init__(self, table: EventTable) -> None:
            super().__init__()
            self.table = table

        @property
        def control(self) -> EventTable:
            """The table that sent the message."""
            return self.table

    class Asked(Message):
        """Asks the screen to do something with the row or cell under the cursor."""

        def __init__(self, table: EventTable, what: str) -> None:
            super().__init__()
            self.table = table
            self.what = what
            """One of ``equals``, ``except``, ``pivot``, ``trace``, ``unit``, ``copy``, ``copy_view`` and ``sort``."""

    _drag = False
    """Whether the mouse holds the scroll bar."""

    # What is under the cursor

    @property
    def cursor(self) -> int:
        """The position of the line under the cursor; -1 in an empty table."""
        return self.place.cursor

    @property
    def event(self) -> Event | None:
        """The event under the cursor; None at a gap or in an empty table."""
        line = self.place.line
        return self.view.table.event(row_of(line)) if line is not None and is_row(line) else None

    @property
    def pid(self) -> int | None:
        """The PID of the event under the cursor; None when it is unknown."""
        event = self.event
        return event.batch.number("pid", 0) if event is not None else None

    @property
    def note(self) -> str:
        """The text of the gap under the cursor; empty at an event."""
        line = self.place.line
        return self.gap_text(line) if line is not None and not is_row(line) else ""

    @property
    def field(self) -> Field:
        """The field of the column under the cursor."""
        return self.view.table.ring.schema[self.column]

    # Moving

    def show(self, shown: list[Field]) -> None:
        """Show the columns *shown* from now on."""
        self.columns = shown
        self.repaint()

    def freeze(self) -> None:
        """Freeze the rows."""
        self.place.freeze()
        self._moved()

    def follow(self) -> None:
        """End the freeze and follow new rows again."""
        self.place.follow()
        self._moved()

    def go(self, position: int) -> None:
        """Put the cursor on the line at *position*, and freeze."""
        self.place.go(position)
        self._moved()

    def _moved(self) -> None:
        self.repaint()
        self.post_message(self.Selected(self))

    def action_move(self, by: int) -> None:
        """Move the cursor by *by* lines."""
        self.place.move(by)
        self._moved()

    def action_page(self, by: int) -> None:
        """Move by *by* pages; moving past the end follows new rows again."""
        self.place.page(by)
        self._moved()

    def action_first(self) -> None:
        """Go to the oldest row, or to the first row of the sort."""
        self.go(0)

    def action_follow(self) -> None:
        """Follow new events as they come."""
        self.follow()

    def action_across(self, by: int) -> None:
        """Scroll along a text that is longer than its column, and at its end move to the next column."""
        self.build()
        names = [p.field.name for p in self.placed]
        offset = min(self.offset_text, self.reach)
        if 0 <= offset + by <= self.reach:
            self.offset_text = max(0, min(offset + by * SCROLL, self.reach))
        elif names:
            self.column = names[max(0, min(names.index(self.column) + by, len(names) - 1))]
        self.repaint()

    def action_sort(self) -> None:
        """Sort by the column under the cursor: largest first, then smallest first, then in order of arrival."""
        sort = self.view.sort
        if sort is None or sort.field != self.column:
            self.view.sort = Sort(self.column, True)
        else:
            self.view.sort = Sort(self.column, False) if sort.descending else None
        self.post_message(self.Asked(self, "sort"))

    def action_select(self, how: str) -> None:
        """Ask to show only rows with the value under the cursor (``equals``), or all others (``except``)."""
        self.post_message(self.Asked(self, how))

    def action_pivot(self) -> None:
        """Ask to show only the process of the row under the cursor."""
        self.post_message(self.Asked(self, "pivot"))

    def action_trace(self) -> None:
        """Ask to capture only the process of the row under the cursor and what it starts."""
        self.post_message(self.Asked(self, "trace"))

    def action_unit(self) -> None:
        """Ask to capture only the container or unit of the row under the cursor."""
        self.post_message(self.Asked(self, "unit"))

    def action_copy(self) -> None:
        """Ask to copy the row under the cursor."""
        self.post_message(self.Asked(self, "copy"))

    def action_copy_view(self) -> None:
        """Ask to copy all rows on the screen."""
        self.post_message(self.Asked(self, "copy_view"))

    def action_gap(self, by: int) -> None:
        """Go to the next gap, or to the one before."""
        if self.place.go_to_gap(by):
            self._moved()
        else:
            self.app.bell()

    # Mouse

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll to older rows."""
        event.stop()
        self.place.scroll(-3)
        self._moved()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll to newer rows; scrolling past the end follows new rows again."""
        event.stop()
        self.place.scroll(3)
        self._moved()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Choose a row or a column's title, or take the scroll bar."""
        if event.x >= self.size.width - 1:
            self._drag = True
            self.capture_mouse()
            self._drag_to(event.y)
            return
        names = [p for p in self.placed if p.x <= event.x < p.x + p.width + columns.SPACE]
        if names:
            self.column = names[0].field.name
        if event.y == 0:
            self.action_sort()
        else:
            self.go(self.place.top + event.y - 1)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag the scroll bar while the mouse holds it."""
        if self._drag:
            self._drag_to(event.y)

    def on_mouse_up(self) -> None:
        """Release the scroll bar."""
        if self._drag:
            self._drag = False
            self.release_mouse()

    def _drag_to(self, y: int) -> None:
        wanted = scrollbar.position(y - 1, self.rows, len(self.view))
        self.place.scroll(wanted - self.place.top)
        self._moved()

    async def on_click(self, event: events.Click) -> None:
        """Show the process of the row after a double click."""
        if event.chain == 2 and event.y > 0:
            await self.run_action("app.process")

    def on_resize(self) -> None:
        """Redraw with the new widths."""
        self.repaint()

    def on_focus(self) -> None:
        """Redraw with a bright cursor, and report the selected row."""
        self.repaint()
        self.post_message(self.Selected(self))

    def on_blur(self) -> None:
        """Redraw with a dimmer cursor."""
        self.repaint()
