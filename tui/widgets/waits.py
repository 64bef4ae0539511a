"""The histogram of all waits for a CPU, beside the tables of the program that counts them."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual.strip import Strip

from ringtop.tui.draw import waits
from ringtop.tui.draw.fill import Lines
from ringtop.tui.model.model import Model
from ringtop.tui.text.glyphs import Glyphs
from ringtop.tui.widgets.style import Painted


class Waits(Painted):
    """A bar for each power of two of the waits' lengths, and what they say together."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"waits--dim", "waits--bar", "waits--high"}

    def __init__(self, model: Model, program: str, glyphs: Glyphs) -> None:
        super().__init__()
        self.model = model
        self.program = program
        self.glyphs = glyphs
        self._rows: Lines = []

    def update(self) -> None:
        """Read the counts again, and redraw if they have changed."""
        state = self.model.states.get(self.program)
        counted = self.model.counters.of(self.program).waits
        min_us = state.min_us if state is not None else None
        width, height = self.content_size
        rows = waits.pane(counted, min_us, width, height, self.glyphs) if counted is not None and width else []
        if rows != self._rows:
            self._rows = rows
            self.refresh()

    def on_resize(self) -> None:
        """Redraw: there is room for more bars, or for fewer."""
        self.update()

    def render_line(self, y: int) -> Strip:
        """A line of the histogram."""
        base = self.base
        if y >= len(self._rows):
            return Strip.blank(self.content_size.width, base)
        styles = {tone: base + self.part(f"waits--{tone}") for tone in ("dim", "bar", "high")}
        segments = [Segment(text, styles.get(tone, base)) for text, tone in self._rows[y] if text]
        return Strip(segments).adjust_cell_length(self.content_size.width, base)
