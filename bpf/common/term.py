"""What the terminal can do, by its name."""

from __future__ import annotations

import os


def name() -> str:
    """The name of the terminal; empty when it has none."""
    return os.environ.get("TERM", "")


def only_lines() -> bool:
    """Whether the terminal shows nothing but lines: it has no colours, and no cursor that could be moved."""
    return name() in ("", "dumb", "unknown")


def colours() -> bool:
    """Whether lines on the terminal may have colours and bold text. NO_COLOR forbids it, unless it is empty."""
    return not only_lines() and not os.environ.get("NO_COLOR")
