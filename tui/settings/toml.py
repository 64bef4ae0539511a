"""TOML files written by people. They are read up to a limit, with the line of every key, so that errors can name it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringtop.tui.settings.files import read_at_most
from ringtop.tui.text.text import safe

LIMIT = 64 << 10
"""Length in bytes of the longest accepted file."""

KeyPath = tuple[str, ...]

_HEADER = re.compile(r"^\s*\[{1,2}\s*([^\[\]#]+?)\s*\]{1,2}\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")
_AT_LINE = re.compile(r"\s*\(at line (\d+), column (\d+)\)$")
_LONG_LINE = 1_000
"""Characters of a line above which its key is not looked for: the search could take very long."""
_TEXT = re.compile(r'''"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|(#)[^\n]*''', re.DOTALL)
"""Texts and comments."""
_TOO_MUCH = re.compile(r"(?<![\w-])(?:(?:[\w-]+[ \t]*\.[ \t]*){16}|[+-]?\d[\w]{64})")
"""A key of more than 16 parts, or a number of more than 64 digits. Python takes very long, and much memory, to read
such a key of thousands of parts, and fails to show such a number."""
_TRIPLE = re.compile(r'"""|\'\'\'')


class TomlError(Exception):
    """A file that cannot be used. The text names the file, the line and the key where they are known, and is safe."""

    def __init__(self, file: Path, text: str, key: str = "", line: int | None = None) -> None:
        self.file = file
        self.key = key = safe(key)
        self.line = line
        """The line, counted from 1; None where it is unknown."""
        self.text = text = safe(text)
        """The error, and its cure."""
        where = safe(str(file)) + (f":{line}" if line else "")
        super().__init__(f"{where}: {key}: {text}" if key else f"{where}: {text}")


@dataclass(frozen=True, slots=True)
class Document:
    """A file's tables, and the lines of its keys."""

    file: Path
    data: dict[str, Any]
    lines: dict[KeyPath, int]

    def error(self, text: str, *key: str) -> TomlError:
        """Return an error about *key*, with the line of *key* or of the nearest table around it."""
        return TomlError(self.file, text, ".".join(key), line_of(self.lines, key))


@dataclass(frozen=True, slots=True)
class Contents:
    """A file's bytes, or the reason why they could not be read."""

    file: Path
    raw: bytes = b""
    error: str = ""


def sources(folder: Path) -> list[Contents]:
    """Read all TOML files of *folder*, which may be missing, to be parsed when they can no longer be read."""
    try:
        return [source(file) for file in sorted(folder.glob("*.toml"))]
    except OSError:
        return []


def source(file: Path) -> Contents:
    """Read *file*, and keep the reason if it cannot be read."""
    try:
        return Contents(file, read_at_most(file, LIMIT))
    except OSError as e:
        return Contents(file, error=f"cannot be read: {e.strerror}")


def read(file: Path) -> Document:
    """Read the document in *file*. Raises TomlError unless it is a readable regular file of valid TOML."""
    return parse(source(file))


def parse(source: Contents) -> Document:
    """Parse the document in *source*. Raises TomlError."""
    import tomllib  # takes long to import, and most have no such file

    file, text = source.file, _text(source)
    if found := _TOO_MUCH.search(_TEXT.sub(_blank, text)):
        what = "a key of more than 16 parts" if "." in found[0] else "a number of more than 64 digits"
        raise TomlError(file, f"{what} is not accepted", line=found.string.count("\n", 0, found.start()) + 1)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        at = _AT_LINE.search(str(e))
        what = f"not valid TOML: {_AT_LINE.sub('', str(e))}"
        raise TomlError(file, what, line=int(at[1]) if at else text.count("\n") + 1) from None
    except RecursionError:
        raise TomlError(file, "not valid TOML: nested too deeply") from None
    return Document(file, data, lines(text))


def _text(source: Contents) -> str:
    if source.error:
        raise TomlError(source.file, source.error)
    try:
        return source.raw.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as e:
        raise TomlError(source.file, "not UTF-8", line=source.raw[: e.start].count(b"\n") + 1) from None


def _blank(found: re.Match[str]) -> str:
    """Nothing for a comment, and for a text a key in its place, with as many lines."""
    return ("" if found[1] else "text") + "\n" * found[0].count("\n")


def lines(text: str) -> dict[KeyPath, int]:
    """Return the line of every table and key of a valid document. Keys in inline tables have none."""
    found: dict[KeyPath, int] = {}
    table: KeyPath = ()
    quote = ""
    for number, line in enumerate(text.split("\n"), 1):
        if not quote and len(line) <= _LONG_LINE:
            if header := _HEADER.match(line):
                table = _split(header[1])
                found.setdefault(table, number)
            elif key := _KEY.match(line):
                found.setdefault(table + _split(key[1]), number)
        for mark in _TRIPLE.findall(line):
            quote = mark if not quote else "" if mark == quote else quote
    return found


def _split(dotted: str) -> KeyPath:
    return tuple(p[1:-1] if p[0] in "\"'" else p for p in _PART.findall(dotted))


def line_of(lines: dict[KeyPath, int], key: KeyPath) -> int | None:
    """Return the line of *key*, or of the nearest table that holds it; None where neither is known."""
    while key:
        if line := lines.get(key):
            return line
        key = key[:-1]
    return None
