"""A terminal does not answer whether it took a text, so nobody is told that it did."""

from __future__ import annotations

import pytest

from ringtop.tui.widgets import clipboard
from tests.tui.viewing import press, running, shown


@pytest.mark.parametrize(
    ("variable", "hint"), [("", ""), ("TMUX", "set -g set-clipboard on"), ("STY", "screen does not pass it on")]
)
async def test_what_is_copied_was_sent(monkeypatch: pytest.MonkeyPatch, variable: str, hint: str) -> None:
    monkeypatch.setattr(clipboard, "_hinted", set())
    for name in ("TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, "1")
    async with running() as pilot:
        await press(pilot, "y")
        told = " ".join(shown(pilot).split())
        assert "Sent to the terminal's" in told
        assert all(word in told for word in hint.split())
        clipboard.copy(pilot.app, "text", "again")
        assert len(clipboard._hinted) == bool(variable)  # it is said once
