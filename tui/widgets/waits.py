"""The histogram of all waits for a CPU, beside the tables of the program that counts them."""

from __future__ import annotations

from ringtop.tui.draw import waits
from ringtop.tui.draw.fill import Lines
from ringtop.tui.widgets.bars import Bars


class Waits(Bars):
    """A bar for each power of two of the waits' lengths, and what they say together."""

    PREFIX = "waits"

    def lines(self, width: int, height: int) -> Lines:
        """The bars, as of now."""
        state = self.model.machine.states.get(self.program)
        counted = self.model.machine.counters.of(self.program).waits
        min_us = state.min_us if state is not None else None
        return waits.pane(counted, min_us, width, height, self.glyphs) if counted is not None and width else []
