"""The message in place of a table whose program failed, or above all tables when the collector is gone."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from ringtop.tui.text.text import safe


class Problem(Static):
    """The failure, its reason, and the key that tries again."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(markup=False, id=id)
        self._shown: tuple[str, ...] = ()
        self.display = False

    def say(self, what: str, why: str = "", cure: str = "") -> None:
        """Show the failure *what*, its reason and its cure; hide when *what* is empty. All text may be untrusted."""
        shown = (what, why, cure)
        if shown == self._shown:
            return
        self._shown = shown
        self.display = bool(what)
        reasons = [line for line in why.split("\n") if line.strip()]
        lines = [Content.styled(safe(what), "bold"), *(Content(safe(line)) for line in reasons[-6:])]
        if cure:
            lines.append(Content.styled(cure, "dim"))
        self.update(Content("\n").join(lines))
