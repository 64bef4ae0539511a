"""What stands on a terminal's screen, as far as tests look: characters and where they are."""

from __future__ import annotations

import codecs
import re

_TOKEN = re.compile(
    r"\x1b\[(?P<given>[0-?]*)[ -/]*(?P<final>[@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]|(?P<char>[^\x1b])"
)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|\][^\x07]*|[ -/]*)?\Z")


class Screen:
    """Feed it what is written. Every character is taken for one cell wide."""

    def __init__(self, rows: int, columns: int) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self.resize(rows, columns)

    def resize(self, rows: int, columns: int) -> None:
        """Another size, and empty."""
        self.rows, self.columns = rows, columns
        self._x = self._y = 0
        self._cells = [[" "] * columns for _ in range(rows)]

    @property
    def text(self) -> str:
        """Its lines."""
        return "\n".join("".join(line) for line in self._cells)

    def feed(self, data: bytes) -> None:
        """Bytes that were written."""
        text = self._rest + self._decode(data)
        cut = found.start() if (found := _UNFINISHED.search(text)) else len(text)
        self._rest = text[cut:]
        for token in _TOKEN.finditer(text[:cut]):
            if token["char"]:
                self._write(token["char"])
            elif token["final"]:
                self._obey(token["given"], token["final"])

    def _write(self, char: str) -> None:
        if char == "\n":
            self._y += 1
            if self._y >= self.rows:
                self._y = self.rows - 1
                self._cells = [*self._cells[1:], [" "] * self.columns]
        elif char == "\r":
            self._x = 0
        elif char == "\b":
            self._x = max(0, self._x - 1)
        elif char >= " ":
            self._cells[self._y][min(self._x, self.columns - 1)] = char
            self._x += 1

    def _obey(self, given: str, final: str) -> None:
        first, second = ([int(n) if n.isdecimal() else 0 for n in given.split(";")] + [0, 0])[:2]
        step = max(1, first)
        if final in "Hf":
            self._y, self._x = max(1, first) - 1, max(1, second) - 1
        elif final in "ABCD":
            self._y += {"A": -step, "B": step}.get(final, 0)
            self._x += {"C": step, "D": -step}.get(final, 0)
        elif final == "G":
            self._x = step - 1
        elif final == "d":
            self._y = step - 1
        elif final == "K":
            self._cells[self._y][self._x :] = [" "] * len(self._cells[self._y][self._x :])
        elif final == "X":
            self._cells[self._y][self._x : self._x + step] = [" "] * len(self._cells[self._y][self._x : self._x + step])
        elif (final == "J" and first == 2) or (final in "hl" and given == "?1049"):
            self._cells = [[" "] * self.columns for _ in range(self.rows)]
        self._y = min(max(0, self._y), self.rows - 1)
        self._x = min(max(0, self._x), self.columns - 1)
