"""Events in the formats that are no text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ringtop.bpf import stream
from ringtop.tui.cli.output_files import OutputFile
from ringtop.tui.formats.formats import writer
from ringtop.tui.lines.part import Part, Told


class Export:
    """Writes events of *programs* to *files* in the format *style*; a ``Sink``."""

    def __init__(self, style: str, files: dict[str, OutputFile], programs: Sequence[str]) -> None:
        self._files, self._programs = files, frozenset(programs)
        self._writer = writer(style, files)
        self._rows = 0

    @property
    def taken(self) -> Callable[[], object]:
        """Called each time that the reader has taken a part of what is written."""
        return next(iter(self._files.values())).taken

    @taken.setter
    def taken(self, act: Callable[[], object]) -> None:
        for file in self._files.values():
            file.taken = act

    def reader(self) -> int:
        """The file descriptor of standard output if it is written, else of standard error."""
        return 1 if any(file.path is None for file in self._files.values()) else 2

    def begin(self) -> None:
        """Write nothing: a file begins with its first message."""

    def hear(self, message: stream.AnyMessage, number: int = 0) -> None:
        """Take a message. Raises CannotWrite."""
        self._writer.hear(message, number)

    def put(self, parts: Sequence[Part]) -> None:
        """Write events. Raises CannotWrite, and StreamError for a program that was not announced."""
        for part in parts:
            if part.batch.program not in self._programs:
                raise stream.StreamError(f"a recording has events of {part.batch.program}, which it did not announce")
            self._rows += len(part.batch)
        self._writer.put(parts)

    def close(self, streams: Sequence[Told]) -> None:
        """Write the end; remove the files if there is nothing in them because a stream broke off. Raises
        CannotWrite."""
        self._writer.close(streams)
        for file in self._files.values():
            file.close()
            if not self._rows and any(told.damage for told in streams):
                file.discard()
