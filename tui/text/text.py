r"""The one place that makes untrusted bytes safe to show.

Safe text has only characters that take a known number of cells and change nothing around them. Everything else is
written as an escape: ``\n \r \t``, ``\xNN`` for other control characters and for bytes that are not UTF-8, ``\uNNNN``
or ``\UNNNNNNNN`` for other characters, and ``\\`` for the backslash itself. So each text stands for exactly one value
(and is that value when quoted in a filter), and a file whose name is really ``\x1b`` is not taken for an escape. In
messages about such values (``safe``) the backslash stays unchanged.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rich.cells import cell_len, get_character_cell_size

from ringtop.tui.text.locale import utf8

MARKS = 3
"""Most combining marks kept on one letter, because more would reach into the lines above and below."""

_CACHED = 16
"""Length in bytes of the longest text that is cached; all comms are within it."""
_TABLE_SIZE = 4096
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}

# Unicode calls these printable, but they are empty, or join with their neighbours so that terminals disagree on the
# width.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U0001f1e6-\U0001f1ff\U000e0100-\U000e01ef]"
)


class _Shown(dict[int, str]):
    """The shown form of each character, computed when the character first occurs."""

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self.gate = gate
        self.marks: set[str] = set()
        """The combining marks that have occurred and are shown unchanged."""

    def __missing__(self, code: int) -> str:
        if len(self) >= _TABLE_SIZE:
            self.clear()
        char = chr(code)
        self[code] = shown = _NAMED.get(char) or (char if self.gate.is_safe(char) else _escape(char))
        if shown == char and unicodedata.category(char) == "Mn":
            self.marks.add(char)
        return shown


class Gate:
    """The gate that makes untrusted bytes safe for one kind of output.

    With *ascii*, everything but ASCII is escaped, because a terminal without UTF-8 may take other bytes for control
    characters.
    """

    def __init__(self, ascii: bool) -> None:
        self.ascii = ascii
        self.cut_mark = "~" if ascii else "…"
        """The mark that replaces text that was cut off."""
        self._shown = _Shown(self)
        self._remembered = lru_cache(maxsize=8192)(self._visible)

    def is_safe(self, char: str) -> bool:
        """Return whether *char* is shown unchanged (a combining mark only on a letter, and at most MARKS of them)."""
        if char.isascii():
            return char.isprintable()
        if self.ascii or not char.isprintable() or _INVISIBLE.match(char):
            return False
        return get_character_cell_size(char) > 0 or unicodedata.category(char) == "Mn"

    def visible(self, raw: bytes) -> str:
        """Return *raw* as safe text of one line."""
        return self._remembered(raw) if len(raw) <= _CACHED else self._visible(raw)

    def safe(self, said: str) -> str:
        """Return *said* (a message, a host's name, a filter) as safe text of one line. Safe text stays unchanged."""
        return self._made_visible(said).replace("\\\\", "\\")

    def safe_lines(self, said: str) -> str:
        """Return *said* as safe text, keeping its line breaks."""
        return "\n".join(map(self.safe, said.split("\n")))

    def clip(self, text: str, cells: int, ellipsis: str | None = None) -> str:
        """Cut safe *text* to at most *cells* cells; *ellipsis* (by default ``cut_mark``) replaces the part cut off."""
        if width(text) <= cells:
            return text
        ellipsis = self.cut_mark if ellipsis is None else ellipsis
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

    def _visible(self, raw: bytes) -> str:
        return self._made_visible(raw.decode("utf-8", "surrogateescape"))

    def _made_visible(self, text: str) -> str:
        if text.isascii() and text.isprintable() and "\\" not in text:
            return text
        shown = text.translate(self._shown)
        return shown if self._shown.marks.isdisjoint(text) else self._with_few_marks(text)

    def _with_few_marks(self, text: str) -> str:
        out = []
        room = 0
        for char in text:
            shown = self._shown[ord(char)]
            if char in self._shown.marks:
                shown = char if room > 0 else _escape(char)
                room -= 1
            else:
                room = MARKS if shown == char and char.isalpha() else 0
            out.append(shown)
        return "".join(out)


def _escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code < 0xDD00:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def width(text: str) -> int:
    """Return the number of cells that safe *text* takes in a terminal."""
    return len(text) if text.isascii() else cell_len(text)


TERMINAL = Gate(ascii=not utf8())
"""The gate for this process's terminal, whose locale does not change."""
PROGRAMS = Gate(ascii=False)
"""The gate for output that other programs read, which is always UTF-8."""

visible, safe, safe_lines, clip = TERMINAL.visible, TERMINAL.safe, TERMINAL.safe_lines, TERMINAL.clip
cut_mark = TERMINAL.cut_mark
