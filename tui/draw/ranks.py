"""The columns of a ranked table that fit on the screen, and their widths. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ringtop.tui.draw.columns import SPACE
from ringtop.tui.text.format import count
from ringtop.tui.text.glyphs import Glyphs
from ringtop.tui.top.columns import Column, Text, columns
from ringtop.tui.top.report import SPARK, Report, Row

MARKS = 2
"""The cells before a row, for its mark and a space."""
_GOES = (
    "first",
    "uid",
    "pids",
    "preempted",
    "spark",
    "error",
    "parent",
    "after",
    "p50",
    "run-p50",
    "search",
    "because",
    "share",
    "rate",
    "last",
    "p99",
    "max",
    "failed",
    "ran",
)
"""The names of columns, in the order in which they are left out when there is little room."""
_NAME = 16
"""The width of a name such as comm, in cells: the kernel keeps no more."""
_NAMES = frozenset({"comm", "after", "because", "parent", "origin", "uid", "cpu", "pid", "start_ns", "tid", "error"})
_LEAST, _USUAL = 22, 40
"""The least width of a key in cells, on a narrow screen and on one of WIDE cells or more."""
WIDE = 110


@dataclass(frozen=True, slots=True)
class Ranked:
    """A column with its position and width, in cells."""

    column: Column
    x: int
    width: int


def layout(report: Report, width: int, glyphs: Glyphs) -> list[Ranked]:
    """The columns of *report* that fit into *width* cells, not counting the marks."""
    keys, rest = _split(report, glyphs)
    least = max(sum(_least(c, width) for c in keys), 1)
    while rest and _needs(rest) + least > width:
        gone = next((name for name in _GOES if any(c.name == name for c in rest)), rest[-1].name)
        rest = [c for c in rest if c.name != gone]
    room = max(1, width - _needs(rest) - SPACE * (len(keys) - 1))
    placed: list[Ranked] = []
    x = 0
    for column, size in [*zip(keys, _shares(keys, room), strict=True), *((c, c.width) for c in rest)]:
        placed.append(Ranked(column, x, max(1, min(size, width - x))))
        x += size + SPACE
    return [p for p in placed if p.x < width]


def _split(report: Report, glyphs: Glyphs) -> tuple[list[Column], list[Column]]:
    shown = columns(report.key, report.measures)
    spark = Column("spark", "LAST MINUTE", "events in the last minute", _spark(glyphs), SPARK, right=False, ranks=False)
    parts = len(report.key.parts)
    return list(shown[:parts]), [*shown[parts:], spark]


def _spark(glyphs: Glyphs) -> Text:
    return lambda row, report: glyphs.line(row.spark, SPARK)


def _needs(rest: Sequence[Column]) -> int:
    return sum(c.width + SPACE for c in rest)


def _least(column: Column, width: int) -> int:
    if column.name in _NAMES:
        return _NAME
    return _USUAL if width >= WIDE else _LEAST


def _shares(keys: Sequence[Column], room: int) -> list[int]:
    """The widths of the key columns: names get a fixed width, and the other keys share the rest."""
    sizes = [min(_NAME, room) if c.name in _NAMES else 0 for c in keys]
    long = [i for i, c in enumerate(keys) if c.name not in _NAMES]
    for i in long:
        sizes[i] = max(1, (room - sum(sizes[j] for j in range(len(keys)) if j not in long)) // len(long))
    return sizes


def cells(row: Row, report: Report, placed: Sequence[Ranked]) -> list[str]:
    """The safe text of a row."""
    return [p.column.text(row, report) for p in placed]


def others(report: Report, placed: Sequence[Ranked]) -> list[str]:
    """The safe text of the line that sums up all rows not shown; empty when there are none."""
    rest = report.others
    if not rest.events:
        return []
    told = {"count": sum(rest.done), "events": rest.events, "failed": rest.failed, "search": rest.searched}
    texts = [count(told[p.column.name]) if p.column.name in told else "" for p in placed]
    return [f"{count(rest.keys)} more", *texts[1:]]
