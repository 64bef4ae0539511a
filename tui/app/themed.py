"""An app with ringtop's themes: which one it starts with, and how another is chosen."""

from __future__ import annotations

from textual.app import App
from textual.theme import Theme

from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.app.hooks import Hooks
from ringtop.tui.settings import themes
from ringtop.tui.settings.config import Config
from ringtop.tui.settings.state import SavedState
from ringtop.tui.terminal.driver import Driver
from ringtop.tui.text.text import safe


class Themed(App[int]):
    """The theme is that of NO_COLOR, of *state*, of *config* or the usual one: the first of these that is set."""

    CSS_PATH = themes.folder() / "ringtop.tcss"
    CSS = "".join(
        f".title--{name} {{ color: $event-{name}; text-style: bold; }} .event-lines--{name} {{ color: $event-{name}; }}"
        for name in SCHEMAS
    )

    def __init__(self, config: Config | None, state: SavedState | None, hooks: Hooks | None) -> None:
        self.config = config or Config()
        self.state = state or SavedState()
        self.hooks = hooks or Hooks()
        # Under NO_COLOR the viewer uses the terminal's own colours, all of which Textual then leaves out.
        super().__init__(driver_class=Driver, ansi_color=themes.no_color() or None)
        self.theme_errors: list[themes.ThemeError] = []
        self._styled_for: Theme | None = None
        """The theme for which the style sheet was parsed."""

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Defaults for all theme variables, so that the style sheet parses under any theme."""
        return themes.defaults()

    @property
    def _wanted_theme(self) -> str:
        usual = themes.SIXTEEN if self.console.color_system == "standard" else themes.DEFAULT
        return themes.NO_COLOR if themes.no_color() else self.state.theme or self.config.theme or usual

    def on_load(self) -> None:
        """Choose the theme before the style sheet is parsed, which takes long."""
        themes.select(self, self._wanted_theme, self.hooks.themes)
        self.stylesheet.set_variables(self.get_css_variables())
        self._styled_for = self.current_theme

    def refresh_css(self, animate: bool = True) -> None:
        """Parse the style sheet for the theme, unless it was parsed for that."""
        if self.current_theme != self._styled_for:
            self._styled_for = self.current_theme
            super().refresh_css(animate)

    def install_themes(self) -> None:
        """Bring the themes that the first frame did not need, and tell the user which ones cannot be used."""
        theme = self._wanted_theme
        self.theme_errors = themes.install(self, self.hooks.themes)
        if theme not in self.available_themes:
            text = f"there is no theme {theme[:32]!r}; the themes are {', '.join(sorted(self.available_themes))}"
            self.notify(safe(text), severity="warning", markup=False, timeout=10)
        for error in self.theme_errors:
            self.notify(safe(str(error)), severity="warning", markup=False, timeout=10)

    def action_themes(self) -> None:
        """Open the list of themes."""
        from ringtop.tui.widgets.theme_picker import ThemePicker

        about = themes.abouts(self.available_themes, self.hooks.themes)
        note = "NO_COLOR is set, so no theme shows colours." if themes.no_color() else ""
        self.push_screen(ThemePicker(about, self.theme_errors, note), self._keep_theme)

    def _keep_theme(self, name: str | None) -> None:
        self.state.theme = name or self.state.theme
