"""Draws the lines of a view that are on the screen."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from ringtop.bpf.event.schema import Field
from ringtop.tui.draw import cells, columns
from ringtop.tui.draw.cells import Cell, Clock
from ringtop.tui.draw.columns import Placed
from ringtop.tui.model import notes
from ringtop.tui.model.line import is_row, row_of
from ringtop.tui.model.model import Model
from ringtop.tui.model.place import Place
from ringtop.tui.model.view import View
from ringtop.tui.text import format
from ringtop.tui.text.glyphs import Glyphs
from ringtop.tui.text.text import clip, safe
from ringtop.tui.text.text import width as width_of
from ringtop.tui.widgets import scrollbar
from ringtop.tui.widgets.style import Painted


class Rows(Painted):
    """A line of titles, then rows and the gaps between them. Lines are drawn once and kept until something changes."""

    PREFIX = "events"

    def __init__(self, model: Model, view: View, glyphs: Glyphs, shown: list[Field]) -> None:
        super().__init__(id=view.table.program)
        self.model = model
        self.view = view
        self.place = Place(view)
        self.glyphs = glyphs
        self.columns = shown
        self.clock = Clock()
        self.offset_text = 0
        """The number of cells by which the text of the column under the cursor is scrolled."""
        self.reach = 0
        """The largest useful ``offset_text``: there the end of the longest text on this page is visible."""
        self._column = view.table.ring.schema.mark  # the column that an event is judged by
        self._placed: list[Placed] = []
        self._here = self._column
        """The column under the cursor as last drawn; ``_placed`` holds all columns as last drawn."""
        self._page: dict[int, Strip] = {}

    @property
    def rows(self) -> int:
        """The number of lines that fit below the titles."""
        return max(0, self.size.height - 1)

    @property
    def placed(self) -> list[Placed]:
        """The columns that fit, with their places."""
        return columns.layout(self.columns, self.size.width - 1)

    @property
    def column(self) -> str:
        """The column under the cursor: the chosen one if it fits, else the last one that does."""
        names = [p.field.name for p in self.placed]
        return self._column if self._column in names or not names else names[-1]

    @column.setter
    def column(self, name: str) -> None:
        if name != self._column:
            self._column, self.offset_text = name, 0

    def repaint(self) -> None:
        """Find the place in the view again, and redraw all lines."""
        self.place.settle(self.rows)
        self._page.clear()
        self.refresh()

    def forget(self) -> None:
        """Discard the drawn lines; they are drawn again when needed."""
        self._page = {}

    def render_line(self, y: int) -> Strip:
        """A line of the table; the first has the titles."""
        self.build()
        return self._page.get(y) or Strip.blank(self.size.width, self.base)

    def page_text(self) -> list[str]:
        """The lines on the screen as plain text."""
        self._page.clear()
        self.build()
        return [self._page[y].crop(0, self.size.width - 1).text.rstrip() for y in sorted(self._page)]

    def gap_text(self, line: int) -> str:
        """The text of the gap at *line*."""
        gap, when = self.view.gap(line), self.view.time(line)
        why = dict.fromkeys(format.reason(reason) for host, cpu in gap.cpus for reason in self._reasons(host, cpu))
        shown = self.clock.show(when) if when is not None else ""
        return notes.gap(gap, shown, list(why), self.model.machine.cpus, self.glyphs, self.model.hosts)

    def _reasons(self, host: int, cpu: int) -> tuple[str, ...]:
        """Why events of this table were lost on *cpu* of *host*."""
        if (machine := self.model.machines.get(host)) is None:
            return ()
        cpus = machine.counters.of(self.view.table.program).cpus
        return next((one.reasons for one in cpus if one.cpu == cpu), ())

    def build(self) -> None:
        """Draw the lines of the page unless they are drawn already."""
        if self._page:
            return
        width, base = self.size.width, self.base
        self._placed, self._here = self.placed, self.column
        lines = self.view.lines(self.place.top, self.place.top + self.rows)
        ring = self.view.table.ring
        numbers = row_of(lines[is_row(lines)])
        alive = numbers[(numbers >= ring.first) & (numbers < ring.end)]
        batch = ring.take(alive)
        fields = [(p.field, p.width) for p in self._placed]
        table = dict(zip(alive.tolist(), cells.cells(batch, fields, self.clock), strict=True))
        self.reach = self._reach(list(table.values()))
        self._page = {0: self._titles(width, base)}
        if not len(lines):
            self._page[1] = self._message(width, base)
            return
        cursor = self.place.cursor - self.place.top
        thumb = scrollbar.thumb(self.place.top, self.rows, len(self.view))
        for i, line in enumerate(lines.tolist()):
            if not is_row(line):
                segments = self._gap(line, width - 1, base, i == cursor)
            elif (row := table.get(row_of(line))) is not None:
                segments = self._row(row, base, i == cursor)
            else:
                segments = [Segment(" " * (width - 1), base)]
            self._page[i + 1] = Strip([*segments, self._bar(i in thumb, len(thumb) > 0, base)], width).simplify()

    def _reach(self, rows: list[list[Cell]]) -> int:
        at = next((i for i, p in enumerate(self._placed) if p.field.name == self._here and p.field.column.weight), None)
        if at is None:
            return 0
        return max(0, max((width_of(row[at].text) for row in rows), default=0) - self._placed[at].width)

    def _bar(self, thumb: bool, needed: bool, base: Style) -> Segment:
        if not needed:
            return Segment(" ", base)
        if thumb:
            return Segment("#" if self.glyphs.ascii else "┃", base + self.part("thumb"))
        return Segment(self.glyphs.separator, base + self.part("track"))

    def _titles(self, width: int, base: Style) -> Strip:
        style = base + self.part("header")
        segments: list[Segment] = []
        sort = self.view.sort
        for i, p in enumerate(self._placed):
            title = p.field.column.title
            if sort is not None and sort.field == p.field.name:
                title = f"{title}{self.glyphs.down if sort.descending else self.glyphs.up}"
            title = clip(title, p.width, "")
            shown = style + self.part("header-cursor") if self.has_focus and p.field.name == self._here else style
            padded = title.rjust(p.width) if p.field.column.right else title.ljust(p.width)
            text = padded.rstrip() if not p.field.column.right else padded.lstrip()
            space = Segment(" " * (p.width - len(text)), style)
            segments += [space, Segment(text, shown)] if p.field.column.right else [Segment(text, shown), space]
            if i + 1 < len(self._placed):
                segments.append(Segment(" " * columns.SPACE, style))
        return Strip(segments).adjust_cell_length(width, style)

    def _row(self, row: list[Cell], base: Style, under_cursor: bool) -> list[Segment]:
        line = base
        if under_cursor and (self.has_focus or self.view.frozen):
            line = base + self.part("cursor" if self.has_focus else "cursor-blurred")
        segments: list[Segment] = []
        offset = min(self.offset_text, self.reach)
        for i, (p, cell) in enumerate(zip(columns.fit(self._placed, [c.text for c in row]), row, strict=True)):
            here = p.field.name == self._here
            style = line if not cell.tone else base + self.part(cell.tone) + Style(bgcolor=line.bgcolor)
            if under_cursor and self.has_focus:
                style = line + self.part("cell") if here else line
            text = f"{cell.text[: p.width - 1]}!" if cell.tone == "late" else cell.text
            segments += fitted(text, p, style, self.glyphs.ellipsis, offset if here else 0)
            if i + 1 < len(self._placed):
                segments.append(Segment(" " * columns.SPACE, line))
        used = sum(s.cell_length for s in segments)
        return [*segments, Segment(" " * max(0, self.size.width - 1 - used), line)]

    def _gap(self, line: int, width: int, base: Style, under_cursor: bool) -> list[Segment]:
        style = base + self.part("gap" if notes.bad_gap(self.view.gap(line)) else "marker")
        if under_cursor and self.has_focus:
            style = style + Style(reverse=True)
        message = clip(" ".join([self.glyphs.gap * 2, self.gap_text(line), ""]), width, self.glyphs.ellipsis)
        return [Segment(message + self.glyphs.gap * (width - width_of(message)), style)]

    def _message(self, width: int, base: Style) -> Strip:
        program = self.view.table.program
        state = self.model.machine.states.get(program)
        style = "message"
        if state is None:
            contact = self.model.machine.contact
            message = self.model.machine.progress.get(program) or contact.text or "waiting for the collector"
            if contact.phase == "lost":
                message = ""
        elif state.state == "running":
            message = (
                "no row matches the filter"
                if self.view.predicate is not None and len(self.view.table)
                else ("no events yet" if not len(self.view.table) else "")
            )
        else:
            message, style = "", "problem"
        return Strip([Segment(f" {safe(message)}", base + self.part(style))]).adjust_cell_length(width, base)


def fitted(text: str, place: Placed, style: Style, mark: str, offset: int = 0) -> list[Segment]:
    """Safe *text* from cell *offset* on, fitted to exactly its column's width; *mark* replaces text that is cut off."""
    if text.isascii() and not offset and len(text) <= place.width:
        return [Segment(text.rjust(place.width) if place.field.column.right else text.ljust(place.width), style)]
    strip = Strip([Segment(text, style)])
    if offset and text:
        strip = Strip([Segment(mark, style), *strip.crop(offset + 1, max(offset + 1, strip.cell_length))])
    if strip.cell_length > place.width:
        strip = Strip([*strip.crop(0, place.width - 1), Segment(mark, style)])
        return list(strip.adjust_cell_length(place.width, style))
    space = Segment(" " * (place.width - strip.cell_length), style)
    return [space, *strip] if place.field.column.right else [*strip, space]
