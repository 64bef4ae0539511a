"""A line to type in."""

from __future__ import annotations

from textual.widgets import Input

from ringtop.tui.text import safe


class Entry(Input):
    """What is pasted is shown as it will be read, and read as it is shown."""

    def replace(self, text: str, start: int, end: int) -> None:
        """Put *text*, typed or pasted, between these places."""
        super().replace(safe(text), start, end)
