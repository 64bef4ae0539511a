"""The file that ``--summary`` names."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

import click

from ringtop.tui.cli.account import as_who_asked
from ringtop.tui.cli.output import CannotWrite
from ringtop.tui.settings.files import open_to_write
from ringtop.tui.text.text import safe


def open_summary(where: str | None) -> TextIO | None:
    """Open the file *where*; "-" is standard error. Call it before root is given up. Raises click.UsageError."""
    if where is None or where == "-":
        return sys.stderr if where else None
    try:
        with as_who_asked():
            return TextIOWrapper(open_to_write(Path(where)), encoding="utf-8")
    except OSError as e:
        raise click.UsageError(f"{safe(where)} cannot be written: {e.strerror}") from e


def write_summary(file: TextIO, summary: Mapping[str, Any]) -> None:
    """Write *summary* as JSON. Raises CannotWrite."""
    from ringtop.tui.lines.json_lines import escaped_json  # takes long to import: by now the collector has started

    try:
        file.write(escaped_json(json.dumps(summary, indent=2)) + "\n")
        file.flush()
    except OSError as e:
        with suppress(OSError):  # the same error again; the file is closed nevertheless
            file.close()
        raise CannotWrite("the summary", e) from e
