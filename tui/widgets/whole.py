"""The ranked table of all programs together: who causes how many events of each kind."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from ringtop.tui.draw.parts import Part
from ringtop.tui.text import format
from ringtop.tui.text.glyphs import Glyphs
from ringtop.tui.top.ranking import Ranking
from ringtop.tui.top.report import SPARK
from ringtop.tui.widgets.ranked import RankedTable
from ringtop.tui.widgets.title import RankedTitle
from ringtop.tui.widgets.verdict import Verdict


class WholeTitle(RankedTitle):
    """The title: the events counted by the table, and their rate."""

    def parts(self) -> list[Part]:
        """The parts at the left."""
        report = self.ranking.report
        return [
            Part(self.key, "dim", -2),
            Part(" all programs", "", joined=True),
            Part(f"{format.rate(report.rate)}/s", "", 2),
            Part(self.glyphs.line(report.spark, SPARK), "spark", 6),
        ]


class Whole(Vertical):
    """The pane of all programs: title, verdict and ranked rows."""

    def __init__(self, ranking: Ranking, glyphs: Glyphs, key: str) -> None:
        super().__init__(id="pane-all")
        self.ranking = ranking
        self.title = WholeTitle(ranking, glyphs, key)
        self.verdict = Verdict(ranking)
        self.ranks = RankedTable(ranking, glyphs)

    def compose(self) -> ComposeResult:
        """The widgets from top to bottom."""
        yield self.title
        yield self.verdict
        yield self.ranks

    def update(self) -> None:
        """Show what is new."""
        self.title.set_class(self.ranks.has_focus, "-focus")
        self.title.update()
        self.verdict.update()
        self.ranks.update()
