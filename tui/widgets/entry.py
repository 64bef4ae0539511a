"""A line to type in."""

from __future__ import annotations

from textual import events
from textual.widgets import Input

from ringtop.tui.text.text import safe


class Entry(Input):
    """What is pasted is shown as it will be read, and read as it is shown."""

    def replace(self, text: str, start: int, end: int) -> None:
        """Put *text*, typed or pasted, between these places."""
        super().replace(safe(text), start, end)

    async def on_key(self, event: events.Key) -> None:
        """Do what the line's own keys do before the next key is looked at. Left alone, they would go up to the app
        first, and letters that came with them in one burst would be in before."""
        key = None if event.is_printable else self.screen.active_bindings.get(event.key)
        if key is not None and key.node is self and key.enabled:
            event.stop()
            await self.run_action(key.binding.action)
