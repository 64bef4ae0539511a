"""One program: its title, its table, and its buffers beside it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from ringtop.bpf.event.schema import Field
from ringtop.tui.model.model import Model
from ringtop.tui.model.view import View
from ringtop.tui.text.glyphs import Glyphs
from ringtop.tui.widgets.buffers import Buffers
from ringtop.tui.widgets.events import EventTable
from ringtop.tui.widgets.problem import Problem
from ringtop.tui.widgets.title import Title


class Pane(Vertical):
    """All that is shown of one program."""

    def __init__(self, model: Model, view: View, glyphs: Glyphs, key: str, shown: list[Field]) -> None:
        super().__init__(id=f"pane-{view.table.program}")
        self.program = view.table.program
        self.model = model
        self.view = view
        self.title = Title(model, view, glyphs, key)
        self.table = EventTable(model, view, glyphs, shown)
        self.buffers = Buffers(model, self.program, glyphs)
        self.problem = Problem()

    def compose(self) -> ComposeResult:
        """Title above, table and buffers side by side."""
        yield self.title
        yield self.problem
        with Horizontal():
            yield self.table
            yield self.buffers

    def update(self, rows: bool) -> None:
        """Show what is new; the table only when its *rows* may have changed."""
        self.title.set_class(self.table.has_focus, "-focus")
        self.title.update()
        self.buffers.update()
        state = self.model.states.get(self.program)
        if state is not None and state.state == "failed":
            tried = "".join(f"\n{line}" for line in state.tried)
            self.problem.say(f"{self.program} could not be loaded", state.reason + tried, "r tries again")
        else:
            self.problem.say("")
        if rows:
            self.table.repaint()
