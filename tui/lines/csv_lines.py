"""Events as CSV (RFC 4180; the caller adds the line ends).

All programs share one header; a cell is empty when the program has no such value or the value is unknown. Text is
written as by ``Gate.visible`` and arguments as by ``shell_line``, so no cell holds a control character or a line break.
A text cell that a spreadsheet could take for a formula, or that begins with ``'``, gets a ``'`` in front. Each cell
stands for exactly one value.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import Any

from ringtop.bpf.event.batch import Batch
from ringtop.tui.lines.values import columns, names
from ringtop.tui.text.shell import shell_line
from ringtop.tui.text.text import PROGRAMS

_FORMULA = tuple("=+-@＝＋－＠'")


class CsvLines:
    """Writes events of *programs* as CSV; a ``LineWriter``."""

    def __init__(self, programs: Sequence[str], hosts: bool = False) -> None:
        """*hosts*: each line tells its host."""
        self._hosts = hosts
        self.names = tuple(dict.fromkeys(name for program in programs for name in names(program, hosts)))
        """The names of the columns, in order."""

    def header(self) -> str:
        """The names of the columns."""
        return written([self.names])[0]

    def lines(self, batch: Batch, wall_offset_ns: int) -> list[str]:
        """One CSV record for each row of *batch*."""
        values = columns(batch, wall_offset_ns, self._hosts)
        own = dict(zip(names(batch.program, self._hosts), values, strict=True))
        empty = [""] * len(batch)
        cells = [list(map(_cell, own[name])) if name in own else empty for name in self.names]
        return written(zip(*cells, strict=True))


class _Lines(list[str]):
    """The file object for the csv module, which calls ``write`` once for each record."""

    def write(self, line: str) -> None:
        self.append(line)


def written(records: Iterable[Sequence[str]]) -> list[str]:
    """One line of CSV, without a line end, for each of *records*."""
    lines = _Lines()
    csv.writer(lines, lineterminator="").writerows(records)
    return lines


def _cell(value: Any) -> str:
    if isinstance(value, bytes):
        return harmless(PROGRAMS.visible(value))
    if isinstance(value, list):
        return harmless(shell_line(value, gate=PROGRAMS))
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def harmless(text: str) -> str:
    """*text* as a cell that no spreadsheet takes for a formula."""
    return "'" + text if text.startswith(_FORMULA) else text
