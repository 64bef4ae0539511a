"""Draws the rows of a ranked table that are on the screen."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from ringtop.tui.draw import ranks
from ringtop.tui.draw.columns import SPACE
from ringtop.tui.draw.ranks import MARKS, Ranked
from ringtop.tui.text.glyphs import Glyphs
from ringtop.tui.text.text import clip, width
from ringtop.tui.top.marks import FAILED
from ringtop.tui.top.ranking import Ranking
from ringtop.tui.top.report import Report, Row
from ringtop.tui.widgets.style import Painted


class Ranks(Painted):
    """A line of titles, the ranked rows, and a line for all others; drawn once and kept until something changes."""

    PREFIX = "ranks"

    def __init__(self, ranking: Ranking, glyphs: Glyphs) -> None:
        super().__init__(id=f"ranks-{ranking.program.replace(' ', '-')}")
        self.ranking = ranking
        self.glyphs = glyphs
        self.column = ""
        """The name of the chosen column; empty for the one that the rows are ranked by."""
        self._drawn: Report | None = None
        self._page: list[Strip] = []
        self.placed: list[Ranked] = []

    @property
    def rows(self) -> int:
        """The number of rows that fit between the titles and the line of the others."""
        return max(1, self.size.height - 2)

    def update(self) -> None:
        """Read the report again, and redraw if it has changed."""
        if not self.display or not self.size.height:
            return
        self.ranking.fit(self.rows)
        if self.ranking.report is not self._drawn:
            self.repaint()

    def repaint(self) -> None:
        """Draw anew."""
        self._drawn = None
        self.refresh()

    def forget(self) -> None:
        """Draw anew."""
        self._drawn = None

    def render_line(self, y: int) -> Strip:
        """A line of the table; the first has the titles."""
        report = self.ranking.report
        if report is not self._drawn:
            self._drawn = report
            self._page = self._build(report)
        return self._page[y] if y < len(self._page) else Strip.blank(self.size.width, self.base)

    def page_text(self) -> list[str]:
        """The lines on the screen as plain text."""
        return [strip.text.rstrip() for strip in self._build(self.ranking.report)]

    def _build(self, report: Report) -> list[Strip]:
        base = self.base
        self.placed = ranks.layout(report, self.size.width - MARKS, self.glyphs)
        page = [self._titles(report, base)]
        cursor = self.ranking.line
        page += [self._row(row, report, base, at == cursor) for at, row in enumerate(report.rows[: self.rows])]
        if report.rows and (rest := ranks.others(report, self.placed)):
            page.append(self._strip("", rest, base + self.part("dim"), {}))
        return page

    @property
    def here(self) -> str:
        """The name of the column under the cursor; if it does not fit, of the ranked or else the first column."""
        names = [p.column.name for p in self.placed]
        ranked = self.ranking.sort or self._ranks(self.ranking.report)
        return self.column if self.column in names else ranked if ranked in names else names[0] if names else ""

    @staticmethod
    def _ranks(report: Report) -> str:
        return "events" if report.measures.across else "total" if report.measures.waits else "count"

    def _titles(self, report: Report, base: Style) -> Strip:
        style = base + self.part("header")
        ranked = self.ranking.sort or self._ranks(report)
        texts, styles = [], {}
        for i, p in enumerate(self.placed):
            texts.append(f"{p.column.title}{self.glyphs.down}" if p.column.name == ranked else p.column.title)
            if self.has_focus and p.column.name == self.here:
                styles[i] = style + self.part("header-cursor")
        return self._strip("", texts, style, styles)

    def _row(self, row: Row, report: Report, base: Style, under_cursor: bool) -> Strip:
        line = base
        if under_cursor:
            line = base + self.part("cursor" if self.has_focus else "cursor-blurred")
        elif not row.events:
            line = base + self.part("dim")
        styles: dict[int, Style] = {}
        if not (under_cursor and self.has_focus):
            for i, p in enumerate(self.placed):
                if p.column.name in ("failed", "error") and row.failed:
                    styles[i] = line + self.part("failed")
                elif p.column.name == "spark":
                    styles[i] = line + self.part("spark")
        mark = row.marks[:1] or ("." if row.id in self.ranking.pinned else row.sign)
        tone = "" if under_cursor and self.has_focus else "failed" if mark == FAILED else "mark"
        texts = ranks.cells(row, report, self.placed)
        return self._strip(mark, texts, line, styles, line + self.part(tone))

    def _strip(
        self, mark: str, texts: list[str], line: Style, styles: dict[int, Style], marked: Style | None = None
    ) -> Strip:
        segments = [Segment(mark.ljust(MARKS), marked or line)]
        for i, (p, text) in enumerate(zip(self.placed, texts, strict=True)):
            text = clip(text, p.width, self.glyphs.ellipsis)
            space = " " * (p.width - width(text))
            segments.append(Segment(space + text if p.column.right else text + space, styles.get(i, line)))
            if i + 1 < len(self.placed):
                segments.append(Segment(" " * SPACE, line))
        return Strip(segments).adjust_cell_length(self.size.width, line).simplify()
