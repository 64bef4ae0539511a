"""What a command prints on standard output, and how it fails when that cannot be written."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from typing import Literal, TextIO

STANDARD = "standard output"
_PART = 16 << 10
"""Characters that are written at a time, so that a slow reader is told from one that takes nothing."""


class CannotWrite(Exception):
    """Something that a command writes could not be written. ``unread`` says that its reader is gone: for standard
    output this is the normal end of a pipe. *kept* says what becomes of what was written before."""

    def __init__(
        self, where: str, error: OSError, unread: bool = False, kept: str = "Everything written before is kept."
    ) -> None:
        super().__init__(f"{where} cannot be written: {error.strerror}. {kept}")
        self.unread = unread


def open_closed_files() -> None:
    """Open /dev/null as each of standard input, output and error that the caller has closed. Otherwise the next file
    that is opened would get its number, and messages would go into it."""
    modes: dict[str, Literal["r", "w"]] = {"stdin": "r", "stdout": "w", "stderr": "w"}
    for number, (name, mode) in enumerate(modes.items()):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number is this one
            setattr(sys, name, _text(number, mode))


def _text(number: int, mode: Literal["r", "w"], encoding: str | None = None) -> TextIO:
    return open(number, mode, encoding=encoding, errors="backslashreplace", closefd=False)


def lost(out: TextIO, error: OSError) -> CannotWrite:
    """Return the error of a failed write to *out*, which writes to nowhere from now on: Python flushes it at exit."""
    screen = out.isatty()
    os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
    return CannotWrite(STANDARD, error, error.errno == errno.EPIPE or (error.errno == errno.EIO and screen))


class Output:
    """Standard output for lines of text."""

    def __init__(self, style: str = "table") -> None:
        """*style* is "table" for people, whose locale decides the encoding; characters that it lacks are escaped. All
        other styles are for programs, and UTF-8 in every locale."""
        out = sys.stdout
        encoding = out.encoding if style == "table" else "utf-8"
        # Always buffered: with PYTHONUNBUFFERED, Python drops the rest of a write that a signal cuts short.
        self._file = _text(out.fileno(), "w", encoding)
        self.screen = out.isatty()
        self.taken: Callable[[], object] = lambda: None
        """Called each time that a part of the lines was taken by their reader."""

    def fileno(self) -> int:
        """The number of the file."""
        return self._file.fileno()

    def put(self, lines: list[str]) -> None:
        """Write *lines* at once. Raises CannotWrite."""
        if not lines:
            return
        try:
            text = "\n".join(lines) + "\n"
            for start in range(0, len(text), _PART):
                self._file.write(text[start : start + _PART])
                self._file.flush()
                self.taken()
        except OSError as e:
            raise lost(self._file, e) from e
