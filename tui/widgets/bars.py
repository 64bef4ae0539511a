"""A pane of bars about one program, beside or below its tables."""

from __future__ import annotations

from abc import abstractmethod

from rich.segment import Segment
from textual.strip import Strip

from ringtop.tui.draw.fill import Lines
from ringtop.tui.model.model import Model
from ringtop.tui.text.glyphs import Glyphs
from ringtop.tui.widgets.style import Painted


class Bars(Painted):
    """Lines of pieces; the tone of a piece is the name of its part in the style sheet."""

    def __init__(self, model: Model, program: str, glyphs: Glyphs, id: str | None = None) -> None:
        super().__init__(id=id)
        self.model = model
        self.program = program
        self.glyphs = glyphs
        self._lines: Lines = []

    @abstractmethod
    def lines(self, width: int, height: int) -> Lines:
        """What there is to show now, in so many cells."""

    def update(self) -> None:
        """Read the counters again, and redraw if they have changed."""
        lines = self.lines(*self.content_size)
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def on_mount(self) -> None:
        """Show the present counters at once."""
        self.update()

    def on_resize(self) -> None:
        """Redraw: another form may fit now."""
        self.update()

    def render_line(self, y: int) -> Strip:
        """A line of the pane."""
        base = self.base
        if y >= len(self._lines):
            return Strip.blank(self.content_size.width, base)
        segments = [Segment(text, base + self.part(tone)) for text, tone in self._lines[y] if text]
        return Strip(segments).adjust_cell_length(self.content_size.width, base)
