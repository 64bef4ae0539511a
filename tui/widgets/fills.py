"""The buffers in one line, or in a line for each program: their fill, and the events and losses of each CPU."""

from __future__ import annotations

from dataclasses import replace

from rich.segment import Segment
from textual.geometry import Size
from textual.strip import Strip

from ringtop.tui.draw.parts import Part, fit
from ringtop.tui.model.model import Model
from ringtop.tui.text import format
from ringtop.tui.text.glyphs import Glyphs
from ringtop.tui.widgets.style import Painted

_FULL = 0.9
"""From this peak fill (0 to 1) on, a buffer nearly lost events."""
_CPUS = 8
"""The limit of CPUs that are shown one by one."""


class Fills(Painted):
    """The buffers of each of *programs*, as far as there is room."""

    PREFIX = "fills"

    def __init__(self, model: Model, programs: list[str], glyphs: Glyphs) -> None:
        super().__init__()
        self.model, self.programs, self.glyphs = model, programs, glyphs
        self._lines: list[list[Part]] = []

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """A line for each program, where the style sheet leaves the height to the widget."""
        return len(self.programs)

    def update(self) -> None:
        """Read the counters again, and redraw if they have changed."""
        lines = [self._of(number, program) for number, program in enumerate(self.programs, 1)]
        if self.model.machine.silence_s:
            lines = [[replace(part, style="dim") for part in line] for line in lines]
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def _of(self, number: int, program: str) -> list[Part]:
        totals, state = self.model.machine.counters.of(program), self.model.machine.states.get(program)
        parts = [Part(f"{number}", "dim", 0)]
        if state is None or not totals.cpus:
            return [*parts, Part("-", "dim", 0)]
        size = format.buffer(state.transport, state.buffer_bytes, self.model.machine.cpus)
        parts.append(Part(format.percent(totals.fill, totals.capacity or 1), "", 0))
        parts.append(Part(f"of {size}", "dim", 4))
        if state.transport == "perfbuf" and state.buffer_bytes:  # a ring's peaks per CPU are of different moments
            peak = max(cpu.peak for cpu in totals.cpus) / state.buffer_bytes
            parts.append(Part(f"peak {peak:.0%}", "some" if peak > _FULL else "dim", 2))
        parts += [Part(f"c{cpu.cpu} {format.rate(cpu.rate)}/s", "dim", 3) for cpu in totals.cpus[:_CPUS]]
        if len(totals.cpus) > _CPUS:
            parts.append(Part(f"{len(totals.cpus) - _CPUS} more", "dim", 3))
        if totals.lost:
            parts.append(Part(f"lost {format.count(totals.lost)}", "some", 1))
        return parts

    def render_line(self, y: int) -> Strip:
        """The line of one program, or one line for all."""
        width, base = self.content_size.width, self.base
        rows = self._lines[y : y + 1] if self.content_size.height > 1 else self._lines
        if not rows:
            return Strip.blank(width, base)
        head = "buffers " if y == 0 else " " * 8
        segments = [Segment(head, base + self.part("dim"))]
        room = (width - len(head) - 3 * (len(rows) - 1)) // len(rows)
        for i, parts in enumerate(rows):
            if i:
                segments.append(Segment(f" {self.glyphs.separator} ", base + self.part("dim")))
            for j, part in enumerate(fit(parts, room, 1)):
                segments.append(Segment(f"{' ' if j else ''}{part.text}", base + self.part(part.style)))
        return Strip(segments).adjust_cell_length(width, base)
