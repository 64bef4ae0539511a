"""The buffer pane: the fill of one program's transport, CPU by CPU, and its figures."""

from __future__ import annotations

from ringtop.tui.draw import side
from ringtop.tui.draw.fill import Lines
from ringtop.tui.widgets.bars import Bars


class Buffers(Bars):
    """Bars, a grid or a heat map, whichever fits the CPUs, and the figures before the last change and now."""

    PREFIX = "buffers"

    def lines(self, width: int, height: int) -> Lines:
        """The fill and the figures, as of now."""
        state = self.model.machine.states.get(self.program)
        totals = self.model.machine.counters.of(self.program)
        size = state.buffer_bytes if state is not None else 0
        before = self.model.machine.before.get(self.program)
        self.set_class(before is not None, "-changed")
        return side.pane(totals, before, size, width, height, self.glyphs) if totals.cpus else []
