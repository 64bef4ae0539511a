r"""The one place that makes untrusted bytes safe to show.

Shown text has only characters that take a known number of cells and change nothing around them. All else is written
as an escape: ``\n \r \t``, ``\xNN`` for other control characters and for bytes that are not UTF-8, ``\uNNNN`` or
``\UNNNNNNNN`` for other characters, and ``\\`` for the backslash itself, so that each text stands for exactly one value
(``original`` finds it) and a file that is really called ``\x1b`` is not taken for an escape. In what is said about
such values (``safe``) the backslash stays as it is.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rich.cells import cell_len, get_character_cell_size

MARKS = 3
"""Most combining marks kept on one letter; more reach into the lines above and below."""

_CACHED = 16
"""Texts up to this many bytes (all comms are) are remembered."""
_TABLE_SIZE = 4096
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}

# Printable as Unicode has it, but empty, or joined with what is beside it so that terminals disagree on the width.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U0001f1e6-\U0001f1ff\U000e0100-\U000e01ef]"
)


_plain = False


def only_ascii(plain: bool = True) -> None:
    """Show all else as escapes from now on: a terminal without UTF-8 can take its bytes for control characters."""
    global _plain
    if plain != _plain:
        _plain = plain
        _shown.clear()
        _shown.marks.clear()
        _remembered.cache_clear()


def is_safe(char: str) -> bool:
    """Whether *char* is shown as it is (a combining mark: on a letter, and not too many)."""
    if char.isascii():
        return char.isprintable()
    if _plain or not char.isprintable() or _INVISIBLE.match(char):
        return False
    return get_character_cell_size(char) > 0 or unicodedata.category(char) == "Mn"


def _escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code < 0xDD00:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class _Shown(dict[int, str]):
    """What each character is shown as, found when first met."""

    def __init__(self) -> None:
        super().__init__()
        self.marks: set[str] = set()

    def __missing__(self, code: int) -> str:
        if len(self) >= _TABLE_SIZE:
            self.clear()
        char = chr(code)
        self[code] = shown = _NAMED.get(char) or (char if is_safe(char) else _escape(char))
        if shown == char and unicodedata.category(char) == "Mn":
            self.marks.add(char)
        return shown


_shown = _Shown()


def visible(raw: bytes) -> str:
    """*raw* as safe text of one line."""
    return _remembered(raw) if len(raw) <= _CACHED else _visible(raw)


def safe(said: str) -> str:
    """What is *said* (a message, a host's name, a filter) in one line; what is safe already stays as it is."""
    return _made_visible(said).replace("\\\\", "\\")


def safe_lines(said: str) -> str:
    """What is *said* in several lines."""
    return "\n".join(map(safe, said.split("\n")))


def _visible(raw: bytes) -> str:
    return _made_visible(raw.decode("utf-8", "surrogateescape"))


def _made_visible(text: str) -> str:
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    shown = text.translate(_shown)
    return shown if _shown.marks.isdisjoint(text) else _with_few_marks(text)


_remembered = lru_cache(maxsize=8192)(_visible)


def _with_few_marks(text: str) -> str:
    out = []
    room = 0
    for char in text:
        shown = _shown[ord(char)]
        if char in _shown.marks:
            shown = char if room > 0 else _escape(char)
            room -= 1
        else:
            room = MARKS if shown == char and char.isalpha() else 0
        out.append(shown)
    return "".join(out)


_ESCAPED = re.compile(r"\\(?:([\\nrt'])|x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")
_BYTES = {"\\": b"\\", "n": b"\n", "r": b"\r", "t": b"\t", "'": b"'"}


def original(text: str) -> bytes:
    """The bytes that ``visible`` showed as *text*."""
    out = bytearray()
    end = 0
    for escape in _ESCAPED.finditer(text):
        out += text[end : escape.start()].encode()
        end = escape.end()
        plain, byte, short, long = escape.groups()
        out += _BYTES[plain] if plain else bytes([int(byte, 16)]) if byte else chr(int(short or long, 16)).encode()
    return bytes(out + text[end:].encode())


def width(text: str) -> int:
    """Cells that safe *text* takes in a terminal."""
    return len(text) if text.isascii() else cell_len(text)


def cut_mark() -> str:
    """Stands for what was cut off."""
    return "~" if _plain else "…"


def clip(text: str, cells: int, ellipsis: str | None = None) -> str:
    """Safe *text* in at most *cells* cells; what was cut off is shown by *ellipsis*, by default ``cut_mark``."""
    if width(text) <= cells:
        return text
    ellipsis = cut_mark() if ellipsis is None else ellipsis
    left = cells - width(ellipsis)
    if left < 0:
        return ""
    if text.isascii():
        return text[:left] + ellipsis
    for end, char in enumerate(text):
        left -= get_character_cell_size(char)
        if left < 0:
            return text[:end] + ellipsis
    return text
