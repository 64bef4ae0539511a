"""The bytes that a shown text stands for: read back by a decoder of its own, so that nothing shown can be ambiguous."""

from __future__ import annotations

import re

_ESCAPED = re.compile(r"\\(?:([\\nrt'])|x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")
_BYTES = {"\\": b"\\", "n": b"\n", "r": b"\r", "t": b"\t", "'": b"'"}
_SHELL_WORD = re.compile(r"""\$'((?:[^'\\]|\\.)*)'|'([^']*)'|"([^"]*)"|([^\s'"$]+)""")


def original(text: str) -> bytes:
    """The bytes that ``Gate.visible`` showed as *text*."""
    out = bytearray()
    end = 0
    for escape in _ESCAPED.finditer(text):
        out += text[end : escape.start()].encode()
        end = escape.end()
        plain, byte, short, long = escape.groups()
        out += _BYTES[plain] if plain else bytes([int(byte, 16)]) if byte else chr(int(short or long, 16)).encode()
    return bytes(out + text[end:].encode())


def shell_args(line: str) -> list[bytes]:
    """The arguments that ``shell_line`` showed as *line*."""
    args = []
    for escaped, single, double, bare in _SHELL_WORD.findall(line):
        args.append(original(escaped) if escaped else (single or double or bare).encode())
    return args


def cell_bytes(cell: str) -> bytes:
    """The bytes that a cell of text stands for."""
    return original(cell.removeprefix("'"))


def cell_args(cell: str) -> list[bytes]:
    """The arguments that a cell of ``argv`` stands for."""
    return shell_args(cell.removeprefix("'"))
