"""The events of a process from all tables, in time order."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ringtop.tui.draw import cells
from ringtop.tui.draw.cells import Cell, Clock
from ringtop.tui.model.store import Life
from ringtop.tui.widgets.style import Painted

_TIME, _NAME = 12, 11
"""The widths of the first two columns, in cells."""
_TEMPLATE = re.compile(r"{(\w+)}")
"""Splits a template of one field into what stands before it, its name, and what follows it."""
_SHORTEST = 16
"""The least length of a line."""


class EventLines(Painted, ScrollView, can_focus=True):
    """One line for each event, cut at the screen's edge. A list scrolled to its end stays at the end."""

    PREFIX = "event-lines"

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._timeline = Life({}, [])
        self._clock = Clock()

    def show(self, timeline: Life, clock: Clock) -> None:
        """Show the events of *timeline*."""
        at_end = self.scroll_offset.y >= self.max_scroll_y
        self._timeline = timeline
        self._clock = clock
        self.virtual_size = Size(0, max(1, len(timeline)))
        if at_end:
            self.scroll_end(animate=False, immediate=True)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The event at line *y* of the screen."""
        base = self.base
        at = y + self.scroll_offset.y
        if at >= len(self._timeline):
            text = "no events of it are kept" if at == 0 else ""
            return Strip([Segment(text, base)]).adjust_cell_length(self.size.width, base)
        program, (time, *rest) = self._event(at)
        segments = [
            Segment(f"{time.text:<{_TIME}}{'!' if time.tone == 'late' else ' '} ", base + self.part("dim")),
            Segment(f"{program:<{_NAME}}  ", base + self.part(program)),
        ]
        for cell in rest:
            segments.append(Segment(cell.text, base + self.part(cell.tone)))
            segments.append(Segment("  ", base))
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def plain(self, room: int) -> list[str]:
        """The newest lines as plain text, of at most *room* bytes together."""
        order = self._timeline.order[max(0, len(self._timeline) - room // _SHORTEST) :]
        positions: dict[str, list[int]] = {}
        for program, position in order:
            positions.setdefault(program, []).append(position)
        found = {program: iter(self._cells(program, np.array(at))) for program, at in positions.items()}
        lines = []
        for program, _ in order:
            time, *rest = next(found[program])
            lines.append("  ".join([time.text, program, *(cell.text for cell in rest)]))
        ends = np.cumsum([len(line.encode()) + 1 for line in reversed(lines)])
        return lines[len(lines) - int(np.searchsorted(ends, room, "right")) :]

    def _event(self, at: int) -> tuple[str, list[Cell]]:
        program, position = self._timeline.order[at]
        return program, self._cells(program, np.array([position]))[0]

    def _cells(self, program: str, positions: NDArray[np.int64]) -> list[list[Cell]]:
        """The cells for these events of *program*; empty values are left out, but the time is always there."""
        rows = self._timeline.batches[program].take(positions)
        brief = [_TEMPLATE.split(template) for template in ("{time}", *rows.schema.brief)]
        fields = [(rows.schema[name], _TIME) for _, name, _ in brief]
        return [
            [
                Cell(before + cell.text + after, cell.tone)
                for (before, _, after), cell in zip(brief, row, strict=True)
                if cell.text
            ]
            for row in cells.cells(rows, fields, self._clock)
        ]
