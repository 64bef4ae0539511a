"""The buffer pane: the fill of one program's transport, CPU by CPU, and its figures."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual.strip import Strip

from ringtop.tui.draw import fill, side
from ringtop.tui.model.model import Model
from ringtop.tui.text.glyphs import Glyphs
from ringtop.tui.widgets.style import Painted


class Buffers(Painted):
    """Bars, a grid or a heat map, whichever fits the CPUs, and the figures before the last change and now."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "buffers--dim",
        "buffers--bar",
        "buffers--high",
        "buffers--full",
        "buffers--peak",
        "buffers--empty",
        "buffers--lost",
        "buffers--moving",
    }

    def __init__(self, model: Model, program: str, glyphs: Glyphs, id: str | None = None) -> None:
        super().__init__(id=id)
        self.model = model
        self.program = program
        self.glyphs = glyphs
        self._rows: fill.Lines = []

    def update(self) -> None:
        """Read the counters again, and redraw if they have changed."""
        state = self.model.states.get(self.program)
        totals = self.model.counters.of(self.program)
        size = state.buffer_bytes if state is not None else 0
        before = self.model.before.get(self.program)
        self.set_class(before is not None, "-changed")
        width, height = self.content_size
        rows = side.pane(totals, before, size, width, height, self.glyphs) if totals.cpus else []
        if rows != self._rows:
            self._rows = rows
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
        if y >= len(self._rows):
            return Strip.blank(self.content_size.width, base)
        styles = {name: base + self.part(f"buffers--{name}") for name in _TONES}
        segments = [Segment(text, styles.get(tone, base)) for text, tone in self._rows[y] if text]
        return Strip(segments).adjust_cell_length(self.content_size.width, base)


_TONES = ("dim", "bar", "high", "full", "peak", "empty", "lost", "moving")
