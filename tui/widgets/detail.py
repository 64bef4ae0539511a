"""The selected row in full: every field, or a note, however narrow the table is."""

from __future__ import annotations

from rich.segment import Segment
from textual.geometry import Size
from textual.strip import Strip

from ringtop.bpf.event.schema import Field
from ringtop.tui.draw import cells, columns
from ringtop.tui.draw.cells import Clock
from ringtop.tui.model.store import Event
from ringtop.tui.text import text
from ringtop.tui.widgets.style import Painted


def items(event: Event, clock: Clock) -> list[tuple[str, str]]:
    """The name and text of every field, the long ones last; the host only where there are several."""
    alone = not event.batch.rows["host"][0]
    named = [(f, _text(event, f, clock)) for f in event.batch.schema.fields if not (alone and f.name == columns.HOST)]
    short = [(f.name, value) for f, value in named if not f.tail]
    return short + [(f.name, value) for f, value in named if f.tail]


def _text(event: Event, field: Field, clock: Clock) -> str:
    if field.kind == "bool":
        return "yes" if event.batch.rows[field.name][0] else "no"
    return cells.column(event.batch, field, clock, 18)[0].text


def wrap(pairs: list[tuple[str, str]], width: int) -> list[list[tuple[str, str]]]:
    """Lines of (name, text) pairs of at most *width* cells; a text too long for a line goes on in the next."""
    lines: list[list[tuple[str, str]]] = [[]]
    used = 0
    for name, value in pairs:
        need = len(name) + 1 + text.width(value)
        if used and used + 2 + need > width:
            lines.append([])
            used = 0
        used += (2 if used else 0) + need
        if used <= width:
            lines[-1].append((name, value))
            continue
        room = max(1, width - len(name) - 1)
        pieces = _cut(value, room, max(1, width - 2))
        lines[-1].append((name, pieces[0]))
        lines += [[("", piece)] for piece in pieces[1:]]
        used = width
    return lines


def _cut(value: str, first: int, rest: int) -> list[str]:
    pieces: list[str] = []
    room, piece, used = first, "", 0
    for char in value:
        cells_needed = text.width(char)
        if used + cells_needed > room:
            pieces.append(piece)
            room, piece, used = rest, "", 0
        piece += char
        used += cells_needed
    return [*pieces, piece]


class Detail(Painted):
    """The pane below the tables with the fields of the row under the cursor."""

    PREFIX = "detail"

    def __init__(self) -> None:
        super().__init__(id="detail")
        self._pairs: list[tuple[str, str]] = []
        self._wrapped: dict[int, list[list[tuple[str, str]]]] = {}
        """The wrapped lines by width."""
        self.display = False

    def show(self, event: Event | None, clock: Clock, note: str = "") -> None:
        """Show *note* if there is one, or else *event*; None shows nothing."""
        pairs = [("note", note)] if note else items(event, clock) if event is not None else []
        if pairs != self._pairs:  # time passing changes only a relative time
            self._pairs = pairs
            self._wrapped.clear()
            self.display = bool(pairs)
            self.refresh(layout=True)

    def _lines(self, width: int) -> list[list[tuple[str, str]]]:
        if width not in self._wrapped:
            self._wrapped[width] = wrap(self._pairs, max(10, width))
        return self._wrapped[width]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """The number of lines that the text takes; the style sheet sets the limit."""
        return len(self._lines(width))

    def render_line(self, y: int) -> Strip:
        """Line *y*; the last line that fits says how many more do not."""
        width, height = self.content_size
        base = self.base
        lines = self._lines(width)
        if y >= len(lines):
            return Strip.blank(width, base)
        name_style = base + self.part("name")
        if y == height - 1 < len(lines) - 1:
            left = len(lines) - y
            return Strip([Segment(f"{text.cut_mark} {left} more lines", name_style)]).adjust_cell_length(width, base)
        segments: list[Segment] = []
        for i, (name, value) in enumerate(lines[y]):
            segments.append(Segment(("  " if i else "") + (f"{name} " if name else "  "), name_style))
            segments.append(Segment(value, base))
        return Strip(segments).adjust_cell_length(width, base)
