"""Recordings that a command line names."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ringtop.bpf.stream import StreamError
from ringtop.tui.cli.account import as_who_asked
from ringtop.tui.text.text import safe


@contextmanager
def opening(file: Path) -> Iterator[None]:
    """Open the recording *file* meanwhile, with the rights of who asked. Raises UsageError when it cannot be opened or
    is no recording."""
    try:
        with as_who_asked():
            yield
    except OSError as e:
        pipe = f"; a pipe is read as standard input: - <{shlex.quote(str(file))}" if file.is_fifo() else ""
        raise click.UsageError(safe(f"{file} cannot be read: {e.strerror}{pipe}")) from e
    except StreamError as e:
        raise click.UsageError(safe(f"{file} cannot be replayed: {e}")) from e
