"""The formats that are no text, and what each needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ringtop.bpf import stream
    from ringtop.tui.lines.part import Part, Told


@dataclass(frozen=True, slots=True)
class Format:
    """One format. It is also the name of the extra of ringtop that brings its library."""

    name: str
    module: str
    """The library."""
    each: bool
    """Whether each program has a file of its own."""
    unfinished: str
    """What a file is good for that breaks off before its end."""


FORMATS = {
    "parquet": Format("parquet", "pyarrow", True, "A Parquet file without its end cannot be read."),
    "perfetto": Format("perfetto", "perfetto", False, "Everything written before is kept."),
}


class File(Protocol):
    """What a writer writes to; it may be a pipe. Its methods raise CannotWrite."""

    closed: bool

    def write(self, data: bytes) -> int:
        """Append all of *data*, and return its length."""
        ...

    def flush(self) -> None:
        """Do nothing: nothing is held back."""
        ...

    def tell(self) -> int:
        """The bytes that were written."""
        ...


class Writer(Protocol):
    """Writes events in one format."""

    def hear(self, message: stream.AnyMessage, number: int = 0) -> None:
        """Take a message of the stream *number*."""
        ...

    def put(self, parts: Sequence[Part]) -> None:
        """Take the next events: each part is in time order, and later calls have no earlier ones."""
        ...

    def close(self, streams: Sequence[Told]) -> None:
        """Write the end; *streams* tells of each stream, in the order of their numbers."""
        ...


def writer(style: str, files: Mapping[str, File]) -> Writer:
    """The writer of one of ``FORMATS``; *files* by program, if each has one, else by ""."""
    if style == "parquet":
        from ringtop.tui.formats.parquet import Parquet

        return Parquet(files)
    from ringtop.tui.formats.perfetto import Perfetto

    return Perfetto(files)
