"""The last line shows the keys that work now; a click on one presses it."""

from __future__ import annotations

from textual import events

from ringtop.tui.draw.parts import Part, fit
from ringtop.tui.text import text
from ringtop.tui.widgets import keys
from ringtop.tui.widgets.line import Line


class Footer(Line):
    """Keys by importance; those that do not fit are in the help."""

    PREFIX = "footer"

    def __init__(self) -> None:
        super().__init__(id="footer")
        self._keys: list[keys.Key] = []

    def parts(self) -> list[Part]:
        """All keys that work now."""
        if self.size.width == 0:
            return []
        ranked = keys.footer(keys.listing(self.screen))
        self._keys = [k for k, _ in ranked]
        parts = []
        for key, rank in ranked:
            parts.append(Part(f" {key.keys.split()[0]}", "key", rank))
            parts.append(Part(f" {key.about}", "about", rank, joined=True))
        return parts

    SPACE = 1

    def on_mount(self) -> None:
        """Follow the focus: other keys work with another widget."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.update())

    def on_resize(self) -> None:
        """There may be room for more."""
        self.update()

    async def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        x, i = 0, -1
        for part in fit(self._parts, self.size.width, self.SPACE):
            x += text.width(part.text) + (self.SPACE if not part.joined and x else 0)
            i += not part.joined
            if event.x < x:
                shown = [p.text for p in fit(self._parts, self.size.width, self.SPACE) if not p.joined]
                for key in self._keys:
                    if f" {key.keys.split()[0]}" == shown[i]:
                        await self.app.run_action(key.action, key.node)
                        return
                return
