"""Where the events of ``trace`` and of ``replay --format`` go, and which of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Protocol

from ringtop.bpf import filter as language
from ringtop.bpf import stream
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.names import Names
from ringtop.tui.cli.output import Output
from ringtop.tui.lines.lines import LineWriter
from ringtop.tui.lines.part import Part, Told, first
from ringtop.tui.lines.values import wall_ns

FEWER = 6
"""Exit status when fewer rows came than were asked for."""
EVER = (-(1 << 63), (1 << 63) - 1)
"""All wall-clock times in ns, as first and last."""


class Sink(Protocol):
    """Takes events. Its methods raise CannotWrite."""

    taken: Callable[[], object]
    """Called each time that the reader has taken a part of what is written."""

    def reader(self) -> int:
        """The file descriptor whose reader must stay: a run ends without it."""
        ...

    def begin(self) -> None:
        """Write what stands before all events."""
        ...

    def hear(self, message: stream.AnyMessage, number: int = 0) -> None:
        """Take a message of the stream *number*."""
        ...

    def put(self, parts: Sequence[Part]) -> None:
        """Write the next events: each part is in time order, and later calls have no earlier ones."""
        ...

    def close(self, streams: Sequence[Told]) -> None:
        """Write what stands after all events."""
        ...


class Printer:
    """Prints events as lines, in time order; a ``Sink``."""

    def __init__(self, out: Output, lines: LineWriter) -> None:
        self._out, self._lines = out, lines

    @property
    def taken(self) -> Callable[[], object]:
        """Called each time that a part of the lines was taken by their reader."""
        return self._out.taken

    @taken.setter
    def taken(self, act: Callable[[], object]) -> None:
        self._out.taken = act

    def reader(self) -> int:
        """The number of standard output."""
        return self._out.fileno()

    def begin(self) -> None:
        """Print the line before all others, if there is one."""
        self._out.put([header] if (header := self._lines.header()) else [])

    def hear(self, message: stream.AnyMessage, number: int = 0) -> None:
        """Print nothing: only events are lines."""

    def put(self, parts: Sequence[Part]) -> None:
        """Print events."""
        rows = list(chain.from_iterable(map(self._rows, parts)))
        if len(parts) > 1:
            rows.sort(key=itemgetter(0))
        self._out.put([line for _, line in rows])

    def _rows(self, part: Part) -> list[tuple[int, str]]:
        return list(zip(part.wall_ns.tolist(), self._lines.lines(part.batch, part.wall_offset_ns), strict=True))

    def close(self, streams: Sequence[Told]) -> None:
        """Print nothing."""


class Choice:
    """Chooses the events that pass the filter *display*, and of these the first *count* (None: all)."""

    def __init__(self, display: str, count: int | None = None) -> None:
        self._display = language.parse(display)
        self._left = count
        self._names = Names()

    @property
    def complete(self) -> bool:
        """Whether no more events are wanted."""
        return self._left == 0

    @property
    def lacking(self) -> bool:
        """Whether there were fewer events than asked for."""
        return bool(self._left)

    def learn(self, message: stream.Cgroups, number: int = 0) -> None:
        """Take what the stream *number* tells of numbers in its events."""
        stream.learn(message, self._names, number)

    def of(
        self, message: stream.Round, wall_offset_ns: int, within: tuple[int, int] = EVER, number: int = 0
    ) -> list[Part]:
        """The events of a round of the stream *number*, from the time *within*[0] to *within*[1], that pass."""
        found = []
        for rows in message.batches:
            batch = stream.batch(rows, self._names, number)
            if within != EVER:
                times = wall_ns(batch, wall_offset_ns)
                batch = batch.take((times >= within[0]) & (times <= within[1]))
            if len(batch := self.passed(batch)):
                found.append(Part(batch, wall_offset_ns, number))
        return found

    def passed(self, batch: Batch) -> Batch:
        """The events of *batch* that pass the filter."""
        return batch if self._display is None else batch.take(language.match(self._display, batch))

    def first(self, parts: Sequence[Part]) -> list[Part]:
        """The earliest of *parts*, the next events that passed, up to the count."""
        wanted = first(parts, self._left)
        if self._left is not None:
            self._left -= sum(len(part.batch) for part in wanted)
        return wanted
