"""The styles of a widget's parts, to be laid over the style of its line; each is looked up once for many frames."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from textual.color import Color
from textual.css.model import RuleSet
from textual.widget import Widget


class Painted(Widget):
    """A widget that draws its lines itself. ``PREFIX`` begins the names of its parts in the style sheet.

    Textual would make a node for each part of each widget, and match all rules with it, whenever a class of the widget
    or of one above it changes: four fifths of the nodes of the first screen were such.
    """

    PREFIX: ClassVar[str] = ""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._base: Style | None = None
        self._ground: Color | None = None
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
        """The style that the rule ``.PREFIX--name`` gives over this widget's background; it has a background only where
        the rule gives one. Raises KeyError where the style sheet has no such rule."""
        if (known := self._parts_styles.get(name)) is not None:
            return known
        rule = self.app.stylesheet.rules_map[f".{self.PREFIX}--{name}"][0].styles.get_rules()
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
