"""A table of events: draws the lines of a view that are on the screen, and moves over them."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from ringtop.bpf.schema import Field
from ringtop.tui import cells, columns, format, notes
from ringtop.tui.cells import Cell, Clock
from ringtop.tui.columns import Column, Placed
from ringtop.tui.glyphs import Glyphs
from ringtop.tui.model import Model
from ringtop.tui.store import Event
from ringtop.tui.text import clip, safe
from ringtop.tui.text import width as width_of
from ringtop.tui.view import Gap, Sort, View
from ringtop.tui.widgets import scrollbar
from ringtop.tui.widgets.drops import reason
from ringtop.tui.widgets.style import Painted


class EventTable(Painted, can_focus=True):
    """The events of one program.

    It follows the newest event until it is scrolled or frozen; then the row under the cursor stays where it is.
    """

    HELP = "Events, newest last. Moving up freezes the rows; the counters go on."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "app.freeze", "Freeze", id="freeze", tooltip="Hold the rows of all tables, or let them go on"),
        Binding("F,end", "follow", "Follow", id="follow", tooltip="Show new events as they come"),
        Binding("s", "sort", "Sort", id="sort", tooltip="By the column under the cursor: down, up, not"),
        Binding(
            "equals_sign", "equals", "Only this", key_display="=", id="equals", tooltip="Filter to this cell's value"
        ),
        Binding("p", "pivot", "Process only", id="pivot", tooltip="All tables: only the process of this row"),
        Binding("enter", "app.process", "Process", id="process", tooltip="The process of this row and all its events"),
        Binding("y", "copy", "Copy", id="copy", tooltip="This row to the clipboard"),
        Binding("Y", "copy_view", "Copy view", show=False, id="copy_view", tooltip="All rows on the screen"),
        Binding("up,k", "move(-1)", "Up", show=False, id="up"),
        Binding("down,j", "move(1)", "Down", show=False, id="down"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, id="page_up"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False, id="page_down"),
        Binding("home,g", "first", "Oldest", show=False, id="first"),
        Binding("left,h", "across(-1)", "Left", show=False, id="left", tooltip="Column to the left"),
        Binding("right,l", "across(1)", "Right", show=False, id="right", tooltip="Column to the right, then scroll"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "events--header",
        "events--header-cursor",
        "events--dim",
        "events--failed",
        "events--low",
        "events--mid",
        "events--high",
        "events--late",
        "events--gap",
        "events--marker",
        "events--cursor",
        "events--cursor-blurred",
        "events--cell",
        "events--thumb",
        "events--track",
        "events--message",
        "events--problem",
    }

    class Selected(Message):
        """The row under the cursor is another one, or there is none."""

        def __init__(self, table: EventTable) -> None:
            super().__init__()
            self.table = table

        @property
        def control(self) -> EventTable:
            """The table."""
            return self.table

    class Asked(Message):
        """Something is wanted of the app for the row or cell under the cursor."""

        def __init__(self, table: EventTable, what: str) -> None:
            super().__init__()
            self.table = table
            self.what = what
            """``equals``, ``pivot``, ``copy``, ``copy_view``, ``sort``."""

    def __init__(self, model: Model, view: View, glyphs: Glyphs, shown: list[Column]) -> None:
        super().__init__(id=view.table.program)
        self.model = model
        self.view = view
        self.glyphs = glyphs
        self.columns = shown
        self.clock = Clock()
        self.column = shown[-1].name
        """The column under the cursor."""
        self.offset_text = 0
        """Cells by which the widest column is scrolled."""
        self.top = 0
        self._top_line = -1
        self._cursor_line = -1
        self._drag = False
        self._placed: list[Placed] = []
        self._page: dict[int, Strip] = {}

    # What is where

    @property
    def rows(self) -> int:
        """Lines of events that fit."""
        return max(0, self.size.height - 1)

    @property
    def cursor(self) -> int:
        """Position of the cursor's line; -1 in an empty table."""
        count = len(self.view)
        if not self.view.frozen:
            return min(0, count - 1) if self.view.sort else count - 1
        return min(self.view.seek(self._cursor_line), count - 1)

    @property
    def event(self) -> Event | None:
        """The event under the cursor; at a gap, the one after it."""
        at = self.cursor
        line = self.view.lines(at, at + 1)
        return self.view.table.event(int(line[0]) >> 1) if at >= 0 and len(line) else None

    @property
    def note(self) -> str:
        """What the gap under the cursor says; empty where there is none."""
        at = self.cursor
        line = self.view.lines(at, at + 1)
        return self._said(self.view.gap(int(line[0]))) if at >= 0 and len(line) and not line[0] & 1 else ""

    @property
    def field(self) -> Field | None:
        """The field under the cursor."""
        return self.view.table.ring.schema.field(self.column)

    def show(self, shown: list[Column]) -> None:
        """Other columns."""
        self.columns = shown
        if self.column not in [c.name for c in shown]:
            self.column = shown[-1].name
        self.repaint()

    def repaint(self) -> None:
        """Draw anew from the view."""
        view, count = self.view, len(self.view)
        last = max(0, count - self.rows)
        if not view.frozen:
            self.top = 0 if view.sort else last
        else:
            self.top = min(view.seek(self._top_line), last)
            at = self.cursor
            if self.rows:
                self.top = max(0, min(self.top, at), at - self.rows + 1)
            shown = view.lines(self.top, self.top + max(1, self.rows))
            if len(shown):  # the row that was chosen stays, too: a filter may hide it for a while
                view.hold(min(int(shown.min()), self._cursor_line) >> 1)
        self._page.clear()
        self.refresh()

    def _remember(self, top: int, cursor: int) -> None:
        """Hold on to the lines at these positions, whatever comes and goes around them."""
        view = self.view
        shown = view.lines(top, top + max(1, self.rows))
        if not len(shown):
            self._top_line = self._cursor_line = 2 * view.end - 1
            return
        self._top_line = int(shown[0])
        if 0 <= cursor - top < len(shown):
            self._cursor_line = int(shown[cursor - top])
        view.hold(int(shown.min()) >> 1)

    # Moving

    def freeze(self) -> None:
        """Hold the rows."""
        if not self.view.frozen:
            at, top = self.cursor, self.top
            self.view.freeze()
            self._remember(top, max(0, at))
            self.repaint()
            self.post_message(self.Selected(self))

    def follow(self) -> None:
        """Let the rows go on."""
        self.view.resume()
        self.repaint()
        self.post_message(self.Selected(self))

    def go(self, position: int) -> None:
        """Put the cursor on the line at *position*, and freeze."""
        count = len(self.view)
        if not count:
            return
        self.freeze()
        at = max(0, min(position, count - 1))
        top = min(self.top, at)
        if self.rows and at >= top + self.rows:
            top = at - self.rows + 1
        self.top = top
        self._remember(top, at)
        self.repaint()
        self.post_message(self.Selected(self))

    def scroll_by(self, lines: int) -> None:
        """Move what is on the screen by *lines*, the cursor with it."""
        count = len(self.view)
        if lines > 0 and not self.view.frozen and not self.view.sort:
            return
        self.freeze()
        top = max(0, min(self.top + lines, count - self.rows))
        at = max(top, min(self.cursor, top + max(1, self.rows) - 1))
        self.top = top
        self._remember(top, at)
        self.repaint()
        self.post_message(self.Selected(self))

    def action_move(self, by: int) -> None:
        """One line."""
        at = self.cursor + by
        if not self.view.frozen and not self.view.sort and by > 0:
            return
        self.go(at)

    def action_page(self, by: int) -> None:
        """One page; past the end it follows again."""
        if by > 0 and not self.view.sort and self.view.frozen and self.top + self.rows >= len(self.view):
            self.follow()
        elif self.view.frozen or by < 0 or self.view.sort:
            self.freeze()
            at = self.cursor
            self.scroll_by(by * max(1, self.rows - 1))
            self.go(at + by * max(1, self.rows - 1))

    def action_first(self) -> None:
        """The oldest row, or the first of the sort."""
        self.go(0)

    def action_follow(self) -> None:
        """New events as they come."""
        self.follow()

    def action_across(self, by: int) -> None:
        """The next column; beyond the last one, its text scrolls."""
        names = [p.column.name for p in self._placed]
        if not names:
            return
        at = names.index(self.column) if self.column in names else len(names) - 1
        if by < 0 and self.offset_text:
            self.offset_text = max(0, self.offset_text - 8)
        elif by > 0 and at == len(names) - 1 and self._placed[-1].column.weight:
            self.offset_text += 8
        else:
            self.column = names[max(0, min(at + by, len(names) - 1))]
        self.repaint()

    def action_sort(self) -> None:
        """By the column under the cursor: largest first, smallest first, as they came."""
        sort = self.view.sort
        if sort is None or sort.field != self.column:
            self.view.sort = Sort(self.column, True)
        else:
            self.view.sort = Sort(self.column, False) if sort.descending else None
        self.post_message(self.Asked(self, "sort"))

    def action_equals(self) -> None:
        """Only rows with this value."""
        self.post_message(self.Asked(self, "equals"))

    def action_pivot(self) -> None:
        """Only this process."""
        self.post_message(self.Asked(self, "pivot"))

    def action_copy(self) -> None:
        """The row."""
        self.post_message(self.Asked(self, "copy"))

    def action_copy_view(self) -> None:
        """All rows on the screen."""
        self.post_message(self.Asked(self, "copy_view"))

    # Mouse

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Older."""
        event.stop()
        self.scroll_by(-3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Newer; at the end it follows again."""
        event.stop()
        if self.view.frozen and not self.view.sort and self.top + self.rows >= len(self.view):
            self.follow()
        else:
            self.scroll_by(3)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A row, a column's title, or the scroll bar."""
        if event.x >= self.size.width - 1:
            self._drag = True
            self.capture_mouse()
            self._drag_to(event.y)
            return
        names = [p for p in self._placed if p.x <= event.x < p.x + p.width + columns.SPACE]
        if names:
            self.column = names[0].column.name
        if event.y == 0:
            self.action_sort()
        else:
            self.go(self.top + event.y - 1)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drags the scroll bar."""
        if self._drag:
            self._drag_to(event.y)

    def on_mouse_up(self) -> None:
        """Lets go of the scroll bar."""
        if self._drag:
            self._drag = False
            self.release_mouse()

    def _drag_to(self, y: int) -> None:
        wanted = scrollbar.position(y - 1, self.rows, len(self.view))
        self.scroll_by(wanted - self.top)

    async def on_click(self, event: events.Click) -> None:
        """Twice: the process."""
        if event.chain == 2 and event.y > 0:
            await self.run_action("app.process")

    def on_resize(self) -> None:
        """Other widths."""
        self.repaint()

    def on_focus(self) -> None:
        """The cursor is seen."""
        self.repaint()
        self.post_message(self.Selected(self))

    def on_blur(self) -> None:
        """The cursor is seen less."""
        self.repaint()

    # Drawing

    def render_line(self, y: int) -> Strip:
        """A line of the table; the first has the titles."""
        width = self.size.width
        if not self._page:
            self._build(width)
        return self._page.get(y) or Strip.blank(width, self.base)

    def forget(self) -> None:
        """Draw anew."""
        self._page = {}

    def page_text(self) -> list[str]:
        """What is on the screen, as plain text."""
        self._build(self.size.width)
        return [self._page[y].crop(0, self.size.width - 1).text.rstrip() for y in sorted(self._page)]

    def _build(self, width: int) -> None:
        self._placed = columns.layout(self.columns, width - 1)
        base = self.base
        self._page = {0: self._titles(width, base)}
        lines = self.view.lines(self.top, self.top + self.rows)
        if not len(lines):
            self._page[1] = self._message(width, base)
            return
        ring = self.view.table.ring
        numbers = lines[lines & 1 == 1] >> 1
        alive = numbers[(numbers >= ring.first) & (numbers < ring.end)]
        batch = ring.take(alive)
        fields = [(f, p.width) for p in self._placed if (f := ring.schema.field(p.column.name)) is not None]
        table = dict(zip(alive.tolist(), cells.cells(batch, fields, self.clock), strict=True))
        cursor = self.cursor - self.top
        thumb = scrollbar.thumb(self.top, self.rows, len(self.view))
        for i, line in enumerate(lines.tolist()):
            row, is_row = line >> 1, line & 1
            if is_row and row in table:
                segments = self._row(table[row], base, i == cursor)
            elif is_row:
                segments = [Segment(" " * (width - 1), base)]
            else:
                segments = self._gap(line, width - 1, base, i == cursor)
            self._page[i + 1] = Strip([*segments, self._bar(i in thumb, len(thumb) > 0, base)], width).simplify()

    def _style(self, name: str) -> Style:
        return self.part(f"events--{name}")

    def _bar(self, thumb: bool, needed: bool, base: Style) -> Segment:
        if not needed:
            return Segment(" ", base)
        if thumb:
            return Segment("#" if self.glyphs.ascii else "┃", base + self._style("thumb"))
        return Segment(self.glyphs.separator, base + self._style("track"))

    def _titles(self, width: int, base: Style) -> Strip:
        style = base + self._style("header")
        segments: list[Segment] = []
        sort = self.view.sort
        for i, p in enumerate(self._placed):
            title = p.column.title
            if sort is not None and sort.field == p.column.name:
                title = f"{title}{self.glyphs.down if sort.descending else self.glyphs.up}"
            title = clip(title, p.width, "")
            here = self.has_focus and p.column.name == self.column
            shown = style + self._style("header-cursor") if here else style
            padded = title.rjust(p.width) if p.column.right else title.ljust(p.width)
            text = padded.rstrip() if not p.column.right else padded.lstrip()
            space = Segment(" " * (p.width - len(text)), style)
            segments += [space, Segment(text, shown)] if p.column.right else [Segment(text, shown), space]
            if i + 1 < len(self._placed):
                segments.append(Segment(" " * columns.SPACE, style))
        return Strip(segments).adjust_cell_length(width, style)

    def _row(self, row: list[Cell], base: Style, under_cursor: bool) -> list[Segment]:
        line = base
        if under_cursor and (self.has_focus or self.view.frozen):
            line = base + self._style("cursor" if self.has_focus else "cursor-blurred")
        segments: list[Segment] = []
        for i, (p, cell) in enumerate(zip(self._placed, row, strict=True)):
            style = line if not cell.tone else base + self._style(cell.tone) + Style(bgcolor=line.bgcolor)
            if under_cursor and self.has_focus:
                style = line + self._style("cell") if p.column.name == self.column else line
            segments += self._text(f"{cell.text[: p.width - 1]}!" if cell.tone == "late" else cell.text, p, style)
            if i + 1 < len(self._placed):
                segments.append(Segment(" " * columns.SPACE, line))
        used = sum(s.cell_length for s in segments)
        return [*segments, Segment(" " * max(0, self.size.width - 1 - used), line)]

    def _text(self, text: str, place: Placed, style: Style) -> list[Segment]:
        scrolled = place.column.weight and self.offset_text and place is self._placed[-1]
        if text.isascii() and not scrolled and len(text) <= place.width:
            return [Segment(text.rjust(place.width) if place.column.right else text.ljust(place.width), style)]
        strip = Strip([Segment(text, style)])
        length = strip.cell_length
        if scrolled:
            strip = strip.crop(self.offset_text, max(self.offset_text, length))
            length = strip.cell_length
        if length > place.width:
            mark = self.glyphs.ellipsis
            strip = Strip([*strip.crop(0, place.width - 1), Segment(mark, style)])
            return list(strip.adjust_cell_length(place.width, style))
        space = Segment(" " * (place.width - length), style)
        return [space, *strip] if place.column.right else [*strip, space]

    def _gap(self, line: int, width: int, base: Style, under_cursor: bool) -> list[Segment]:
        gap = self.view.gap(line)
        style = base + self._style("gap" if gap.lost or any(map(notes.bad, gap.marks)) else "marker")
        if under_cursor and self.has_focus:
            style = style + Style(reverse=True)
        said = clip(" ".join([self.glyphs.gap * 2, self._said(gap), ""]), width, self.glyphs.ellipsis)
        return [Segment(said + self.glyphs.gap * (width - width_of(said)), style)]

    def _said(self, gap: Gap) -> str:
        said = []
        if gap.lost:
            where = f"CPU {gap.cpus[0]}" if len(gap.cpus) == 1 else f"{len(gap.cpus)} CPUs"
            why = self._why(gap.cpus)
            said.append(f"{format.count(gap.lost)} lost on {where}{f': {why}' if why else ''}")
        said += [notes.text(note, self.model.cpus, self.glyphs) for note in gap.marks]
        return ", ".join(said)

    def _why(self, cpus: tuple[int, ...]) -> str:
        known = {c.cpu: c.reasons for c in self.model.counters.of(self.view.table.program).cpus}
        reasons = dict.fromkeys(r for c in cpus for r in known.get(c, ()))
        return " or ".join(reason(r) for r in reasons)

    def _message(self, width: int, base: Style) -> Strip:
        program = self.view.table.program
        state = self.model.states.get(program)
        style = "message"
        if state is None:
            contact = self.model.contact
            said = self.model.progress.get(program) or contact.text or "waiting for the collector"
            if contact.phase == "lost":
                said = ""
        elif state.state == "running":
            said = (
                "no row matches the filter"
                if self.view.predicate is not None and len(self.view.table)
                else ("no events yet" if not len(self.view.table) else "")
            )
        else:
            said, style = "", "problem"
        return Strip([Segment(f" {safe(said)}", base + self._style(style))]).adjust_cell_length(width, base)
