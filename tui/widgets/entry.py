"""An input line."""

from __future__ import annotations

import re

from textual import events
from textual.widgets import Input

from ringtop.tui.text.text import safe


class Entry(Input):
    """An input line whose text is made safe as it is typed or pasted, so that it is read exactly as it is shown."""

    over = False
    """Whether the line is about to be closed: keys that come now are meant for what gets the focus then."""

    def replace(self, text: str, start: int, end: int) -> None:
        """Replace the characters from *start* to *end* by *text*, typed or pasted."""
        super().replace(safe(text), start, end)

    def _on_paste(self, event: events.Paste) -> None:
        """Insert all that is pasted, its lines joined by spaces. Textual would keep only the first line."""
        event.stop()
        event.prevent_default()
        self.replace(re.sub(r"\r\n|[\r\n]", " ", event.text.strip("\r\n")), *self.selection)

    async def on_key(self, event: events.Key) -> None:
        """Run the line's own keys before the next key is handled. Textual would pass them up to the app first,
        and letters typed in the same burst would be inserted before."""
        if self.over:
            event.stop()
            event.prevent_default()
            self.pass_on(event)
            return
        key = None if event.is_printable else self.screen.active_bindings.get(event.key)
        if key is not None and key.node is self and key.enabled:
            event.stop()
            await self.run_action(key.binding.action)

    def pass_on(self, event: events.Key) -> None:
        """Let a key come again, for what has the focus then."""
        self.app.post_message(events.Key(event.key, event.character))
