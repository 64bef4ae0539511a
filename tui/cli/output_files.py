"""The files of the formats that are no text, for ``trace`` and ``replay``."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import click

from ringtop.tui.cli.account import as_who_asked
from ringtop.tui.cli.extras import need
from ringtop.tui.cli.output import STANDARD, CannotWrite
from ringtop.tui.formats.formats import FORMATS
from ringtop.tui.settings.files import create
from ringtop.tui.text.text import safe


class OutputFile:
    """A file that is written from its beginning to its end, or standard output; a ``File`` of the formats."""

    def __init__(self, path: Path | None, unfinished: str) -> None:
        """Create the file, which only its owner may read, or take standard output for None. Raises OSError."""
        self.path = path
        self.taken: Callable[[], object] = lambda: None
        """Called each time that something was written."""
        self.closed = False
        self._unfinished = unfinished
        self._file = os.fdopen(os.dup(1), "wb", buffering=0) if path is None else create(path, buffering=0)
        self._written = 0

    def write(self, data: bytes) -> int:
        """Write all of *data*. Raises CannotWrite."""
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) :]
                self.taken()
        except OSError as e:
            where = STANDARD if self.path is None else safe(str(self.path))
            unread = self.path is None and e.errno == errno.EPIPE
            raise CannotWrite(where, e, unread, self._unfinished) from e
        self._written += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def tell(self) -> int:
        """The bytes that were written."""
        return self._written

    def close(self) -> None:
        """Nothing more is written."""
        self.closed = True
        self._file.close()

    def discard(self) -> None:
        """Remove it. The account that ringtop continues under may not be allowed to."""
        if self.path is not None:
            with suppress(PermissionError):
                self.path.unlink(missing_ok=True)


def check(style: str, output: str | None, launching: bool = False) -> None:
    """Raise click.UsageError unless events in the format *style* can go to *output*, and CannotTrace where its library
    is missing. A command that is to be launched has standard output, too. Call it before anything else is done."""
    form = FORMATS.get(style)
    if form is None:
        if output is not None:
            raise click.UsageError(f"--output is for {' and '.join(FORMATS)}: {style} is printed, redirect it with >")
        return
    if output is not None and Path(output).name in ("", ".."):
        raise click.UsageError(f"--output {safe(output)!r} names no file")
    if output is None and launching:
        raise click.UsageError(f"what the command prints would be in the {form.name} file, too: add --output FILE")
    if output is None and os.isatty(1):
        raise click.UsageError(f"{form.name} is not for a terminal: name a file with --output, or redirect it with >")
    need(form.module, form.name, f"--format {form.name}")


def open_files(style: str, output: str | None, programs: Callable[[], Sequence[str]]) -> dict[str, OutputFile]:
    """Create the files for events in the format *style*, which must not exist: one for each of the *programs*, which
    are asked for only then, or one by "", or none for formats that are text. Call it before root is given up. Raises
    click.UsageError."""
    form = FORMATS.get(style)
    if form is None:
        return {}
    names = list(programs()) if form.each else [""]
    if output is None and len(names) > 1:
        raise click.UsageError(f"{form.name} has a file for each program: name it with --output FILE")
    files: dict[str, OutputFile] = {}
    path: Path | None = None
    with as_who_asked():
        try:
            for name in names:
                if output is not None:
                    path = Path(output)
                    path = path.with_name(f"{path.stem}.{name}{path.suffix}") if len(names) > 1 else path
                files[name] = OutputFile(path, form.unfinished)
        except OSError as e:
            for file in files.values():
                file.discard()
            why = "exists already: choose another name, or remove it" if isinstance(e, FileExistsError) else e.strerror
            raise click.UsageError(f"{safe(str(path))} cannot be written: {why}") from e
    return files
