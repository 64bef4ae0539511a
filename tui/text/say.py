"""Messages of the commands to the user, on standard error."""

from __future__ import annotations

import click

from ringtop.bpf.common.errors import FilterError
from ringtop.tui.text.text import clip, safe, safe_lines, width

_SHOWN = 76
"""Number of cells of a filter that an error shows."""


def say(text: str) -> None:
    """Print a message of one or more lines. Untrusted parts that must not break a line have to be ``safe`` already."""
    click.echo(safe_lines(f"ringtop: {text}"), err=True)


def pointed(error: FilterError) -> str:
    """Return the error's message, and below it the filter with a caret at the wrong place."""
    whole, column = error.text, error.column
    start = max(0, column - _SHOWN // 2) if len(whole) > _SHOWN else 0
    before = ("…" if start else "") + safe(whole[start:column])
    after = clip(safe(whole[column : column + _SHOWN]), max(_SHOWN // 2, _SHOWN - width(before)))
    return f"{safe(error.message)}\n  {before}{after}\n  {' ' * width(before)}^"
