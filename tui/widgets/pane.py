"""The pane of one program: title, verdict, ranked rows and events, with the buffers beside them."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from ringtop.bpf.event.schema import Field
from ringtop.tui.model.model import Model
from ringtop.tui.model.view import View
from ringtop.tui.text import format
from ringtop.tui.text.glyphs import Glyphs
from ringtop.tui.top.ranking import Ranking
from ringtop.tui.widgets.buffers import Buffers
from ringtop.tui.widgets.events import EventTable
from ringtop.tui.widgets.problem import Problem
from ringtop.tui.widgets.ranked import RankedTable
from ringtop.tui.widgets.title import Title
from ringtop.tui.widgets.verdict import Verdict
from ringtop.tui.widgets.waits import Waits

SHOWS = ("both", "top", "events")
"""The choices for a pane: ranked rows above events, or only one of the two."""


class Pane(Vertical):
    """Everything shown of one program; *shows* is one of SHOWS."""

    def __init__(
        self, model: Model, view: View, ranking: Ranking, glyphs: Glyphs, key: str, shown: list[Field], shows: str
    ) -> None:
        super().__init__(id=f"pane-{view.table.program}")
        self.program = view.table.program
        self.model = model
        self.view = view
        self.ranking = ranking
        self.shows = shows
        self.tall = False
        """Whether there is room for ranked rows and events."""
        self.narrowed = ""
        """The name of the only row whose events are shown; empty when all events are."""
        self.title = Title(model, view, ranking, glyphs, key)
        self.verdict = Verdict(ranking)
        self.ranks = RankedTable(ranking, glyphs)
        self.table = EventTable(model, view, glyphs, shown)
        self.waits = Waits(model, self.program, glyphs)
        self.buffers = Buffers(model, self.program, glyphs)
        self.problem = Problem()

    def compose(self) -> ComposeResult:
        """The title above, with tables and buffers side by side below it."""
        yield self.title
        yield self.verdict
        yield self.problem
        with Horizontal():
            with Vertical():
                yield self.ranks
                yield self.table
            yield self.waits
            yield self.buffers

    def show(self, what: str) -> None:
        """Show *what*, one of SHOWS."""
        self.shows = what
        self.make_room()

    def make_room(self) -> None:
        """Show the chosen tables as far as they fit; a table that is hidden passes the focus to the other one."""
        events = self.shows == "events" or bool(self.narrowed)
        focused = self.ranks.has_focus or self.table.has_focus
        self.ranks.display = self.verdict.display = not events
        self.table.display = events or (self.shows == "both" and self.tall)
        if focused and not self.main.has_focus:
            self.main.focus()

    @property
    def counts_waits(self) -> bool:
        """Whether there is a histogram to show."""
        return self.model.machine.counters.of(self.program).waits is not None

    @property
    def main(self) -> EventTable | RankedTable:
        """The table that has the focus, or would get it."""
        if self.table.has_focus and self.table.display:
            return self.table
        return self.ranks if self.ranks.display else self.table

    def _narrowed(self) -> str:
        """The title's text about the only row whose events are shown."""
        row = self.ranking.row
        if not self.narrowed or row is None:
            return self.narrowed
        gone = row.events - self.view.matched
        kept = f", {format.count(gone)} no longer kept" if gone > 0 and not self.view.scanning else ""
        return f"{self.narrowed}: {format.count(row.events)}{kept}"

    def update(self, rows: bool) -> None:
        """Show what is new; the events are redrawn only when *rows* says that they may have changed."""
        self.title.set_class(self.ranks.has_focus or self.table.has_focus, "-focus")
        self.title.ranked = self.ranks.display and not (self.table.has_focus and self.table.display)
        self.title.narrowed = self._narrowed()
        self.title.update()
        self.buffers.update()
        self.waits.update()
        state = self.model.machine.states.get(self.program)
        if state is not None and state.state == "failed":
            tried = "".join(f"\n{line}" for line in state.tried)
            self.problem.say(f"{self.program} could not be loaded", state.reason + tried, "r tries again")
        else:
            self.problem.say("")
        if self.ranks.display:
            self.verdict.update()
            self.ranks.update()
        if rows and self.table.display:
            self.table.repaint()
