"""A dialog that asks for one line, such as a time to go to or a number of seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ringtop.tui.text.text import safe
from ringtop.tui.widgets.entry import Entry


class Ask(ModalScreen[None]):
    """Asks for a line, and stays until the answer is valid."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel", id="ask_back"),
    ]

    def __init__(self, title: str, usual: str, examples: str, take: Callable[[str], None]) -> None:
        """*take* gets the answer, and raises ValueError if it is invalid; *usual* is shown while the line is empty."""
        super().__init__()
        self._title = title
        self._usual = usual
        self._examples = examples
        self._take = take

    def compose(self) -> ComposeResult:
        """A box with one line to fill in."""
        with Vertical(classes="box") as box:
            box.border_title = self._title
            yield Entry(placeholder=self._usual, select_on_focus=False)
            yield Static(self._examples, markup=False)
            yield Static(markup=False, id="ask-error")

    def on_mount(self) -> None:
        """Give the focus to the line."""
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the answer, or show the error."""
        try:
            self._take(event.value)
        except ValueError as e:
            self.query_one("#ask-error", Static).update(safe(str(e)))
            return
        self.dismiss(None)
