"""Batches of events to lines of text, for ``ringtop trace``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ringtop.bpf.event.batch import Batch
from ringtop.tui.lines.csv_lines import CsvLines
from ringtop.tui.lines.json_lines import JsonLines
from ringtop.tui.lines.table_lines import TableLines

FORMATS = ("table", "json", "csv")


class LineWriter(Protocol):
    """Writes events in one format. Lines have no line end, and no control character but those of colours."""

    def header(self) -> str:
        """What comes before all lines; empty when nothing does."""
        ...

    def lines(self, batch: Batch, wall_offset_ns: int) -> list[str]:
        """One line for each row, in their order."""
        ...


def writer(style: str, programs: Sequence[str], colour: bool = False, width: int | None = None) -> LineWriter:
    """The writer of one of ``FORMATS`` for events of *programs*.

    For tables: *colour* them, and cut lines to *width* cells (never unless given). Raises ValueError on another format.
    """
    match style:
        case "table":
            return TableLines(programs, colour, width)
        case "json":
            return JsonLines()
        case "csv":
            return CsvLines(programs)
    raise ValueError(f"no such format: {style!r}; there are {', '.join(FORMATS)}")
