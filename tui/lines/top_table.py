"""Reports of a top as tables for people."""

from __future__ import annotations

from ringtop.tui.text.format import age, count, rate, several
from ringtop.tui.text.text import clip, width
from ringtop.tui.top.columns import Column, columns
from ringtop.tui.top.measures import ALL
from ringtop.tui.top.report import START, Report
from ringtop.tui.top.verdict import sentence

_BOLD = "1"
_LEAST = 24
"""The width in cells of a key on the narrowest terminal."""
_MARKS = 2


class TopTable:
    """Writes reports as tables. Keys are cut to fit lines into *cells*; without *cells*, nothing is cut."""

    def __init__(self, colour: bool = False, cells: int | None = None) -> None:
        self._colour, self._cells = colour, cells

    def header(self) -> list[str]:
        """Empty: every table has its own titles."""
        return []

    def lines(self, reports: list[Report], wall_offset_ns: int) -> list[str]:
        """The lines of all reports, with an empty line after each report."""
        return [line for report in reports for line in (*self._lines(report), "")]

    def _lines(self, report: Report) -> list[str]:
        lines = [self._bold(_title(report)), f"  {sentence(report.verdict)}"]
        shown = columns(report.key, report.measures)
        cells = [[column.text(row, report) for column in shown] for row in report.rows]
        if rest := _rest(shown, report):
            cells.append(rest)
        if not cells:
            return lines
        sizes = [max(width(c.title), *(width(row[i]) for row in cells)) for i, c in enumerate(shown)]
        if self._cells is not None:
            fixed = sum(sizes[len(report.key.parts) :]) + len(sizes)
            for i in range(len(report.key.parts)):
                sizes[i] = min(sizes[i], max(_LEAST, self._cells - fixed - _MARKS) // len(report.key.parts))
        lines.append(self._bold(_line("", [column.title for column in shown], shown, sizes)))
        marks = [row.sign for row in report.rows] + [""]
        return lines + [_line(mark, row, shown, sizes) for mark, row in zip(marks, cells, strict=False)]

    def _bold(self, text: str) -> str:
        return f"\x1b[{_BOLD}m{text}\x1b[0m" if self._colour else text


def _title(report: Report) -> str:
    program = "all programs" if report.program == ALL else report.program
    window = "since start" if report.window == START else f"last {report.window}"
    seconds = age(report.until_ns - report.since_ns)
    parts = [
        program,
        f"by {report.key.name}",
        f"{several(report.events, 'event')} {window} ({seconds})",
        f"{rate(report.rate)}/s",
        f"counts >=, {count(report.lost)} lost" if report.lost else "0 lost",
        f"{count(report.kept_out)} kept out" if report.kept_out else "",
        several(report.keys, "key"),
    ]
    return "  ".join(filter(None, parts))


def _rest(shown: tuple[Column, ...], report: Report) -> list[str]:
    """The line that sums up all rows not shown; empty when there are none."""
    others = report.others
    if not others.events:
        return []
    told = {"count": sum(others.done), "events": others.events, "failed": others.failed, "search": others.searched}
    cells = [count(told[column.name]) if column.name in told else "" for column in shown]
    return [f"{count(others.keys)} more", *cells[1:]]


def _line(mark: str, cells: list[str], shown: tuple[Column, ...], sizes: list[int]) -> str:
    padded = []
    for cell, column, size in zip(cells, shown, sizes, strict=True):
        text = clip(cell, size)
        space = " " * (size - width(text))
        padded.append(space + text if column.right else text + space)
    return (mark.ljust(_MARKS) + " ".join(padded)).rstrip()
