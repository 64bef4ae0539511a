"""Asks for a time to go to in a recording."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ringtop.tui.parts import safe

EXAMPLES = "14:03:20   90s   1m30s   +10s   -10s   50%"


class Jump(ModalScreen[None]):
    """Stays until the time is understood."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Back", id="jump_back"),
    ]

    def __init__(self, jump: Callable[[str], None]) -> None:
        """*jump* raises ValueError for what it does not understand."""
        super().__init__()
        self._jump = jump

    def compose(self) -> ComposeResult:
        """A box with one line to fill in."""
        with Vertical(classes="box") as box:
            box.border_title = "Jump to"
            yield Input(placeholder="time", select_on_focus=False)
            yield Static(EXAMPLES, markup=False, id="jump-examples")
            yield Static(markup=False, id="jump-said")

    def on_mount(self) -> None:
        """Type at once."""
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go there, or say what is wrong."""
        try:
            self._jump(event.value)
        except ValueError as e:
            self.query_one("#jump-said", Static).update(safe(str(e)))
            return
        self.dismiss(None)
