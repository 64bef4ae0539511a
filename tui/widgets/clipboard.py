"""Copying text to the clipboard of the user's terminal, which never answers whether it took it."""

from __future__ import annotations

import os
from typing import Any

from textual.app import App

_HINTS = {
    "TMUX": "Inside tmux this takes `set -g set-clipboard on`.",
    "STY": "screen does not pass it on.",
}
"""By the environment variable that tells of a program between us and the terminal."""
_hinted: set[str] = set()


def copy(app: App[Any], text: str, what: str) -> None:
    """Send *text* to the terminal by OSC 52, and tell that *what* was sent; the first time, also what may be needed."""
    app.copy_to_clipboard(text)
    message = f"Sent to the terminal's clipboard: {what}."
    usual = len(message)
    for variable, hint in _HINTS.items():
        if os.environ.get(variable) and variable not in _hinted:
            _hinted.add(variable)
            message += f" {hint}"
    app.notify(message, markup=False, timeout=2 if len(message) == usual else 10)
