"""Turns batches of events into lines of text, for ``ringtop trace``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ringtop.bpf.event.batch import Batch
from ringtop.tui.lines.csv_lines import CsvLines
from ringtop.tui.lines.json_lines import JsonLines
from ringtop.tui.lines.table_lines import TableLines

FORMATS = ("table", "json", "csv")


class LineWriter(Protocol):
    """Writes events in one format. Lines have no line end, and no control characters except those of colours."""

    def header(self) -> str:
        """The text before all lines; empty when there is none."""
        ...

    def lines(self, batch: Batch, wall_offset_ns: int) -> list[str]:
        """One line for each row of *batch*, in order."""
        ...


def writer(
    style: str, programs: Sequence[str], colour: bool = False, width: int | None = None, hosts: bool = False
) -> LineWriter:
    """The writer of one of ``FORMATS`` for events of *programs*, which with *hosts* are of several.

    *colour* and *width* apply to tables only: lines are cut to *width* cells, or never without one. Raises ValueError
    for an unknown format.
    """
    match style:
        case "table":
            return TableLines(programs, colour, width, hosts)
        case "json":
            return JsonLines(hosts)
        case "csv":
            return CsvLines(programs, hosts)
    raise ValueError(f"no such format: {style!r}; there are {', '.join(FORMATS)}")
