"""The list that chooses a theme; the whole screen shows the one under the cursor at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from ringtop.tui.settings.themes import ThemeError
from ringtop.tui.text.text import safe
from ringtop.tui.widgets import keys


class ThemePicker(ModalScreen[str | None]):
    """A list at the right edge; its result is the name of the chosen theme, or None when it was cancelled."""

    HELP = "Themes. Moving previews a theme; Enter keeps it, Esc restores the old one."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,T", "cancel", "Back", id="theme_back", tooltip="Restore the old theme"),
        Binding("enter", "keep", "Keep", id="theme_keep", tooltip="Keep this theme, also for the next start"),
        Binding("down,j", "move(1)", "Next", show=False, id="theme_next"),
        Binding("up,k", "move(-1)", "Previous", show=False, id="theme_previous"),
        keys.HELP,
    ]

    def __init__(self, about: dict[str, str], errors: Sequence[ThemeError] = (), note: str = "") -> None:
        """*about* gives each theme's description by name, in the order to show; *note* is shown below the list."""
        super().__init__()
        self._about = about
        self._errors = errors
        self._note = note
        self._before = ""

    def compose(self) -> ComposeResult:
        """The list, the theme's description, and the themes that were refused."""
        with Vertical(id="themes", classes="box") as box:
            box.border_title = "Themes"
            yield OptionList(*(Option(Content(name), id=name) for name in self._about))
            yield Static(markup=False, id="theme-about", classes="note")
            if self._note:
                yield Static(self._note, markup=False, classes="note")
            if self._errors:
                text = "\n".join(safe(f"{e.file.name}:{e.line or ''} {e.key} {e.text}") for e in self._errors)
                yield Static(text, markup=False, id="theme-errors", classes="note")

    def on_mount(self) -> None:
        """Start at the present theme."""
        self._before = self.app.theme
        options = self.query_one(OptionList)
        options.highlighted = list(self._about).index(self._before) if self._before in self._about else 0
        options.focus()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Apply the highlighted theme, but not one highlighted only for a moment, such as the first at the start, nor
        one of which this hears only after the list was left."""
        if event.option_index != event.option_list.highlighted or self not in self.app.screen_stack:
            return
        name = event.option_id or ""
        self.query_one("#theme-about", Static).update(safe(self._about.get(name, "")))
        if name in self.app.available_themes:
            self.app.theme = name

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Keep the selected theme, after Enter in the list or a click."""
        event.stop()
        self.dismiss(event.option_id)

    def action_move(self, by: int) -> None:
        """Move to the next theme, or to the previous one."""
        options = self.query_one(OptionList)
        if by > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def action_keep(self) -> None:
        """Keep the theme that is applied."""
        self.dismiss(self.app.theme)

    def action_cancel(self) -> None:
        """Return to the theme from before."""
        self.app.theme = self._before
        self.dismiss(None)
