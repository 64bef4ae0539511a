"""The pane beside a table: the buffer of each CPU, and the transport's figures since its last change and before it.

Pure functions that return rows of pieces, as in ``fill``.
"""

from __future__ import annotations

from ringtop.bpf.stream import Period
from ringtop.tui.draw import fill, periods
from ringtop.tui.draw.fill import Lines
from ringtop.tui.model.counters import Totals
from ringtop.tui.text import format
from ringtop.tui.text.glyphs import Glyphs

_FIRST = ("buffer", "events/s", "delay p50", "delay p99", "wakeups/s", "reader CPU", "out of order")
_LAST = ("memory", "wakeup")
"""The figures, the most important first: the last are left out when there is little room. The count of late events
stands between the two groups."""
NARROW = periods.LABEL + 2 * periods.VALUE
WIDE = 2 * NARROW
"""From this width in cells on, the figures stand beside the CPUs instead of below them."""
LEAST = 3
"""The least number of rows of figures that is worth showing."""
ENOUGH = 7
"""The lines of figures for which the CPUs make room after a change."""
CPUS = 4
"""The lines that the CPUs keep: enough for a heat map."""


def pane(totals: Totals, before: Period | None, size: int, width: int, height: int, glyphs: Glyphs) -> Lines:
    """The whole pane. *size* is the buffer size in the program's state, in bytes."""
    lines = figures(totals, before)
    if not lines or width < NARROW or height < LEAST:
        return fill.pane(totals, size, width, height, glyphs)
    if width >= WIDE:
        left = width - NARROW - 2
        return _beside(fill.pane(totals, size, left, height, glyphs), lines[:height], left)
    rows = fill.pane(totals, size, width, height, glyphs)
    if before is not None and height - len(rows) < ENOUGH and height >= CPUS + LEAST:
        rows = fill.pane(totals, size, width, max(CPUS, height - ENOUGH), glyphs)
    room = height - len(rows)
    if room < LEAST:
        return rows
    return [*rows, *([[]] if room > len(lines) else []), *lines[:room]]


def figures(totals: Totals, before: Period | None) -> Lines:
    """The figures before the last change and now. Without a change there is only now, without titles; without a period
    there are no lines."""
    sides = [totals.now] if before is None else [before, totals.now]
    if sides == [None]:
        return []
    late = ("late", *[""] * (len(sides) - 1), format.short(totals.late))
    lines = [*periods.rows(_FIRST, sides), late, *periods.rows(_LAST, sides)]
    return [_row(row) for row in ([("", "before", "now"), *lines] if before is not None else lines[1:])]


def _row(row: periods.Row) -> list[fill.Piece]:
    name, *old, now = row
    bad = name in ("out of order", "late") and now not in ("0", format.UNKNOWN_TEXT)
    pieces: list[fill.Piece] = [(f"{name:<{periods.LABEL}}", "dim")]
    pieces += [(f"{value:>{periods.VALUE}}", "dim") for value in old]
    return [*pieces, (f"{now:>{periods.VALUE}}", "lost" if bad else "")]


def _beside(left: Lines, right: Lines, width: int) -> Lines:
    rows: Lines = []
    for i in range(max(len(left), len(right))):
        row = left[i] if i < len(left) else []
        space = width + 2 - sum(len(text) for text, _ in row)
        rows.append([*row, (" " * space, ""), *(right[i] if i < len(right) else [])])
    return rows
