"""The screen that shows what ringtop itself costs."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.markup import escape
from textual.screen import ModalScreen
from textual.widgets import Static

from ringtop.tui.draw import costs
from ringtop.tui.model.model import Model
from ringtop.tui.widgets import keys

_STYLES = {"dim": "$dim", "title": "bold $primary", "bad": "bold $error", "": ""}


def text(rows: costs.Lines) -> Content:
    """The *rows* in the theme's colours."""
    return Content("\n").join([Content.assemble(*((said, _STYLES[tone]) for said, tone in row)) for row in rows])


class CostScreen(ModalScreen[None]):
    """What the processes, BPF programs and maps cost, read anew each second while the screen is open."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,dollar_sign", "dismiss", "Close", id="costs_close"),
        keys.HELP,
    ]

    def __init__(self, model: Model) -> None:
        super().__init__()
        self._model = model
        self._before: costs.Reading | None = None

    def compose(self) -> ComposeResult:
        """A box that scrolls both ways."""
        with VerticalScroll(classes="box") as box:
            box.border_title = escape(self._model.machine.titled("What ringtop costs"))
            box.border_subtitle = "Esc closes"
            yield Static("measuring…", markup=False)

    def take(self, reading: costs.Reading) -> None:
        """Show a new *reading*, with rates since the one before."""
        rows = costs.lines(reading, self._before or reading, self._model.machine.states)
        self._before = reading
        self.query_one(Static).update(text(rows))
