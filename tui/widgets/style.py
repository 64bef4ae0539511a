"""The styles of a widget's parts, to be laid over the style of its line; each is looked up once for many frames."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from textual.color import Color
from textual.css.model import RuleSet
from textual.widget import Widget


class Painted(Widget):
    """A widget that draws its lines itself. It reads the styles of its parts from the rules of the style sheet.

    Textual's component classes would serve, too, but cost much: for each of them, every widget makes a node and matches
    all rules with it, again whenever a class of the widget or of one above it changes.
    """

    PREFIX: ClassVar[str] = ""
    """How the names of its parts begin in the style sheet: the rule of the part ``x`` is ``.PREFIX--x``."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._base: Style | None = None
        self._ground: Color | None = None
        """The background of the widget, once a part has needed it."""
        self._parts_styles: dict[str, Style] = {}
        self._rules: dict[str, list[RuleSet]] = {}
        """The rules of the style sheet by which this was drawn."""

    @property
    def base(self) -> Style:
        """The style of the widget itself."""
        if self._base is None:
            self._base = self.rich_style
        return self._base

    def part(self, name: str) -> Style:
        """The style of the part *name*, to be added to that of its line; it has a background only where its rule gives
        one. Without a name it changes nothing. Raises KeyError where the style sheet has no rule for the part."""
        if not name:
            return Style.null()
        if (known := self._parts_styles.get(name)) is not None:
            return known
        (only,) = self.app.stylesheet.rules_map[f".{self.PREFIX}--{name}"]
        rule = only.styles.get_rules()
        if self._ground is None:
            _, self._ground = self.background_colors
        ground = self._ground
        if behind := rule.get("background"):
            ground += behind
        if colour := rule.get("color"):
            colour = ground.get_contrast_text(colour.a) if rule.get("auto_color") else colour
        made = Style.parse(str(rule.get("text_style", ""))) + Style(
            color=(ground + colour).rich_color if colour else None, bgcolor=ground.rich_color if behind else None
        )
        self._parts_styles[name] = made
        return made

    def notify_style_update(self) -> None:
        """Look the styles up again: the theme or the focus has changed."""
        super().notify_style_update()
        self._base = self._ground = None
        self._parts_styles.clear()
        self.forget()
        if self._rules is not (rules := self.app.stylesheet.rules_map):
            self._rules = rules
            self.refresh()

    def forget(self) -> None:
        """Discard everything drawn with the old colours."""
