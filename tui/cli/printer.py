"""Events as printed lines in time order, for ``trace`` and ``replay --format``."""

from __future__ import annotations

from ringtop.bpf import filter as language
from ringtop.bpf import stream
from ringtop.tui.lines.lines import LineWriter
from ringtop.tui.lines.values import wall_ns

FEWER = 6
"""Exit status when fewer rows were printed than asked for."""
EVER = (-(1 << 63), (1 << 63) - 1)
"""All wall-clock times in ns, as first and last."""

Printed = tuple[int, str]
"""The wall-clock time of an event in ns, and its line."""


class Printer:
    """Makes lines by *lines* of the events that pass the filter *display*."""

    def __init__(self, lines: LineWriter, display: str) -> None:
        self._lines = lines
        self._display = language.parse(display)

    def header(self) -> list[str]:
        """The line before all others, if there is one."""
        return [header] if (header := self._lines.header()) else []

    def printed(self, message: stream.Round, wall_offset_ns: int, within: tuple[int, int] = EVER) -> list[Printed]:
        """The events of a round from the time *within*[0] to *within*[1], in time order."""
        found: list[Printed] = []
        for part in message.batches:
            batch = stream.batch(part)
            if within != EVER:
                times = wall_ns(batch, wall_offset_ns)
                batch = batch.take((times >= within[0]) & (times <= within[1]))
            if self._display is not None:
                batch = batch.take(language.match(self._display, batch))
            found += zip(wall_ns(batch, wall_offset_ns).tolist(), self._lines.lines(batch, wall_offset_ns), strict=True)
        found.sort(key=lambda row: row[0])
        return found
