"""A widget that shows one line made of parts."""

from __future__ import annotations

from rich.segment import Segment
from textual.strip import Strip

from ringtop.tui.draw.parts import Part, fit_sides
from ringtop.tui.widgets.style import Painted


class Line(Painted):
    """Shows ``parts`` at the left and ``ending`` at the right, and repaints only when they have changed."""

    SPACE = 2
    """The cells between two parts."""
    FILLER = " "
    """The character that fills the space between left and right."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._parts: list[Part] = []
        self._ending: list[Part] = []
        self._stale = False

    @property
    def stale(self) -> bool:
        """Whether the line tells only what was true some time ago: all of it is grey then, in the style ``dim``."""
        return False

    @property
    def filler_style(self) -> str:
        """The filler's part in the style sheet, as ``Part.style`` is that of a part; empty for the line's own style."""
        return ""

    def parts(self) -> list[Part]:
        """The parts at the left."""
        return []

    def ending(self) -> list[Part]:
        """The parts at the right edge."""
        return []

    def update(self) -> None:
        """Compute the parts again, and repaint if they have changed."""
        shown = self.parts(), self.ending(), self.stale
        if shown != (self._parts, self._ending, self._stale):
            self._parts, self._ending, self._stale = shown
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line."""
        if not self._parts and not self._ending:  # drawn before its first update: the first frame is whole
            self._parts, self._ending = self.parts(), self.ending()
        width = self.size.width
        base = self.base
        if y > 0:
            return Strip.blank(width, base)
        left, right = map(self._segments, fit_sides(self._parts, self._ending, width, self.SPACE))
        gap = width - sum(s.cell_length for s in (*left, *right))
        filler = base + self.part(self.filler_style)
        if self.FILLER != " " and gap > 2:
            middle = [Segment(" ", base), Segment(self.FILLER * (gap - 2), filler), Segment(" ", base)]
        else:
            middle = [Segment(" " * max(0, gap), base)]
        return Strip([*left, *middle, *right]).adjust_cell_length(width, base)

    def _segments(self, parts: list[Part]) -> list[Segment]:
        segments: list[Segment] = []
        base = self.base
        for part in parts:
            if segments and not part.joined:
                segments.append(Segment(" " * self.SPACE, base))
            segments.append(Segment(part.text, base + self.part("dim" if self._stale else part.style)))
        return segments
