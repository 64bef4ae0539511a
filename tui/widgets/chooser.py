"""The dialog that chooses the columns of a table and their order."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.draw import columns
from ringtop.tui.widgets import keys


class ColumnChooser(ModalScreen[bool]):
    """Chooses columns: the table shows each change at once, and Esc reverts them all."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Show or hide", id="column_toggle"),
        Binding("shift+up,K", "shift(-1)", "Move left", id="column_left"),
        Binding("shift+down,J", "shift(1)", "Move right", id="column_right"),
        Binding("d", "defaults", "Defaults", id="column_defaults"),
        Binding("enter", "done", "Accept", id="column_done", priority=True),
        Binding("escape,q", "cancel", "Cancel", id="column_cancel"),
        keys.HELP,
    ]

    def __init__(self, program: str, shown: list[str], usual: list[str], changed: Callable[[list[str]], None]) -> None:
        """*usual*: the default columns; that of the host can be chosen only where it is one of them."""
        super().__init__()
        self.program = program
        self._usual = usual
        alone = columns.HOST not in (*usual, *shown)
        self._all = [c.name for c in columns.available(program) if not (alone and c.name == columns.HOST)]
        self._before = list(shown)
        self._shown = list(shown)
        self._changed = changed
        self._names = [*shown, *(name for name in self._all if name not in shown)]
        self._list = OptionList()

    def compose(self) -> ComposeResult:
        """A box with the list."""
        with Vertical(classes="box") as box:
            box.border_title = f"Columns of {self.program}"
            box.border_subtitle = "Space shows, Shift+Up/Down moves, Enter accepts"
            yield self._list

    def on_mount(self) -> None:
        """Fill the list and give it the focus."""
        self._fill(0)
        self._list.focus()

    def _fill(self, at: int) -> None:
        schema = SCHEMAS[self.program]
        self._list.clear_options()
        for name in self._names:
            mark = "[x]" if name in self._shown else "[ ]"
            self._list.add_option(Option(Content.assemble(f"{mark} {name:<10} ", (schema[name].about, "dim"))))
        self._list.highlighted = at

    def _apply(self, at: int) -> None:
        self._shown = [n for n in self._names if n in self._shown]
        self._fill(at)
        self._changed(self._shown)

    def on_option_list_option_selected(self) -> None:
        """Show or hide the column that was clicked."""
        self.action_mark()

    def action_mark(self) -> None:
        """Show or hide the column under the cursor; the last shown column stays."""
        at = self._list.highlighted or 0
        name = self._names[at]
        if name not in self._shown:
            self._shown.append(name)
        elif len(self._shown) > 1:
            self._shown.remove(name)
        self._apply(at)

    def action_shift(self, by: int) -> None:
        """Swap the column with its neighbour."""
        at = self._list.highlighted or 0
        to = at + by
        if 0 <= to < len(self._names):
            self._names[at], self._names[to] = self._names[to], self._names[at]
            self._apply(to)

    def action_defaults(self) -> None:
        """Return to the default columns."""
        self._shown = list(self._usual)
        self._names = [*self._usual, *(name for name in self._all if name not in self._usual)]
        self._apply(0)

    def action_done(self) -> None:
        """Keep the changes and close."""
        self.dismiss(True)

    def action_cancel(self) -> None:
        """Revert the changes and close."""
        self._changed(self._before)
        self.dismiss(False)
