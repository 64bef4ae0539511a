"""The line below a title: the verdict, which says in words what stands out by stated rules."""

from __future__ import annotations

from ringtop.tui.draw.parts import Part
from ringtop.tui.top.ranking import Ranking
from ringtop.tui.top.verdict import sentence
from ringtop.tui.widgets.line import Line


class Verdict(Line):
    """The verdict on the report of *ranking*."""

    PREFIX = "verdict"

    def __init__(self, ranking: Ranking) -> None:
        super().__init__()
        self.ranking = ranking

    def parts(self) -> list[Part]:
        """The clauses that hold; the first is left out last when there is little room."""
        report = self.ranking.report
        lost = "lost" if report.lost else "text"
        return [Part(sentence((clause,)), lost if not i else "text", i) for i, clause in enumerate(report.verdict)]
