"""The log of losses on the screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.markup import escape
from textual.screen import ModalScreen
from textual.widgets import Static

from ringtop.tui.draw import loss_log
from ringtop.tui.draw.cells import Clock
from ringtop.tui.model.model import Model
from ringtop.tui.widgets import keys

RENEW_S = 0.5
"""How often the log is read again while it is open, in seconds."""


class LossScreen(ModalScreen[None]):
    """Every loss: when, which program and CPU, how many, why, and what was set; the newest first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,L", "dismiss", "Close", id="losses_close"),
        keys.HELP,
    ]

    def __init__(self, model: Model, clock: Callable[[], Clock]) -> None:
        super().__init__()
        self._model, self._clock = model, clock
        self._said = Static(markup=False)

    def compose(self) -> ComposeResult:
        """A box that scrolls."""
        with VerticalScroll(classes="box") as box:
            box.border_title = escape(self._model.machine.titled("Lost events"))
            box.border_subtitle = "Esc closes"
            yield self._said

    def on_mount(self) -> None:
        """Show the log, and follow it."""
        self._show()
        self.set_interval(RENEW_S, self._show)

    def _show(self) -> None:
        log, clock = self._model.machine.losses, self._clock()
        lines = [Content(loss_log.summary(log))]
        if len(log):
            lines.append(Content.styled(loss_log.TITLES, "$column-header"))
            lines += [Content(loss_log.line(loss, clock)) for loss in log.newest()]
        self._said.update(Content("\n").join(lines))
