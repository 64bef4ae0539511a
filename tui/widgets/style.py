"""The styles of a widget's parts, to be laid over the style of its line; each is looked up once for many frames."""

from __future__ import annotations

from rich.style import Style
from textual.widget import Widget


class Painted(Widget):
    """A widget that draws its lines itself."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._base: Style | None = None
        self._parts_styles: dict[str, Style] = {}

    @property
    def base(self) -> Style:
        """The style of the widget itself."""
        if self._base is None:
            self._base = self.rich_style
        return self._base

    def part(self, name: str) -> Style:
        """The style of the component class *name*; its background only where the style sheet gives it one.

        Textual's own partial style does not blend a colour that is partly transparent; its whole style does.
        """
        if (known := self._parts_styles.get(name)) is not None:
            return known
        whole = self.get_component_rich_style(name)
        own = self.get_component_rich_style(name, partial=True)
        made = Style(
            color=whole.color if own.color is not None else None,
            bgcolor=whole.bgcolor if own.bgcolor is not None else None,
            bold=own.bold,
            dim=own.dim,
            italic=own.italic,
            underline=own.underline,
            reverse=own.reverse,
            strike=own.strike,
        )
        self._parts_styles[name] = made
        return made

    def notify_style_update(self) -> None:
        """Look the styles up again: the theme or the focus has changed."""
        super().notify_style_update()
        self._base = None
        self._parts_styles.clear()
        self.forget()

    def forget(self) -> None:
        """Discard everything drawn with the old colours."""
