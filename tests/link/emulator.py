"""A terminal as far as the viewer needs one: what stands on the screen, in which style, and its answers."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

from rich.cells import get_character_cell_size

TOKEN = re.compile(
    r"\x1b\[([<-?]?)([\d;:]*)([ -/]*[@-~])|\x1b\].*?(?:\x07|\x1b\\)|\x1b[^\[\]]|[\x00-\x1f]|[^\x00-\x1f]+"
)
UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|\][^\x07]*)?\Z")


class Emulator:
    """Give it bytes; *answer* gets what a terminal would reply. Raises ValueError for a sequence it does not know."""

    def __init__(self, columns: int, rows: int, answer: Callable[[bytes], None] = lambda data: None) -> None:
        self.answer = answer
        self.asked = 0
        """Times that it was asked where its cursor is."""
        self._main: tuple[list[list[str]], list[list[frozenset[str]]], int, int] | None = None
        """What stands on the main screen, while the other one is shown."""
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._rest = ""
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        """Another size; what was on it is gone."""
        self.columns, self.rows = columns, rows
        self._x = self._y = 0
        self._pen: frozenset[str] = frozenset()
        self.cells = [[" "] * columns for _ in range(rows)]
        self.styles = [[self._pen] * columns for _ in range(rows)]

    @property
    def lines(self) -> list[str]:
        """The text on the screen."""
        return ["".join(line).rstrip() for line in self.cells]

    @property
    def cursor(self) -> tuple[int, int]:
        """Its line and column, from 0."""
        return self._y, self._x

    def feed(self, data: bytes) -> None:
        """What arrives from the program."""
        text = self._rest + self._decode(data)
        cut = found.start() if (found := UNFINISHED.search(text)) else len(text)
        self._rest = text[cut:]
        for match in TOKEN.finditer(text[:cut]):
            if match[3]:
                self._sequence(match[1], match[2], match[3])
            elif match[0] == "\n":
                self._line_feed()
            elif match[0] == "\r":
                self._x = 0
            elif match[0][0] >= " ":
                self._write(match[0])

    def _line_feed(self) -> None:
        if self._y < self.rows - 1:
            self._y += 1
            return
        self.cells = [*self.cells[1:], [" "] * self.columns]
        self.styles = [*self.styles[1:], [self._pen] * self.columns]

    def _write(self, text: str) -> None:
        for char in text:
            width = get_character_cell_size(char)
            if not width:
                self.cells[self._y][self._x - 1] += char
                continue
            if self._x + width > self.columns:
                raise ValueError(f"written past the edge: {text!r}")
            line, end = self.cells[self._y], self._x + width
            if not line[self._x]:
                line[self._x - 1] = " "
            if end < self.columns and not line[end]:
                line[end] = " "
            line[self._x : end] = [char] + [""] * (width - 1)
            self.styles[self._y][self._x : self._x + width] = [self._pen] * width
            self._x += width

    def _sequence(self, private: str, given: str, final: str) -> None:
        numbers = [int(n or 0) for n in given.replace(":", ";").split(";")]
        if private or final[0] == "$":
            if final == "$p" and numbers[0] == 2026:
                self.answer(b"\x1b[?2026;2$y")
            elif final == "h" and 1049 in numbers:
                self._main = self.cells, self.styles, self._x, self._y
                self.resize(self.columns, self.rows)
            elif final == "l" and 1049 in numbers and self._main is not None:
                self.cells, self.styles, self._x, self._y = self._main
        elif final == "m":
            self._style(numbers)
        elif final == "H":
            self._y, self._x = (max(1, n) - 1 for n in [*numbers, 1][:2])
            self._y = min(self._y, self.rows - 1)
        elif final == "C":
            self._x += max(1, numbers[0])
        elif final == "n" and numbers[0] == 6:
            self.asked += 1
            self.answer(f"\x1b[{self._y + 1};{self._x + 1}R".encode())
        else:
            raise ValueError(f"CSI {private}{given}{final}")

    def _style(self, numbers: list[int]) -> None:
        pen = dict(part.split("=") for part in self._pen)
        at = 0
        while at < len(numbers):
            n = numbers[at]
            if n in (38, 48):
                length = 5 if numbers[at + 1] == 2 else 3
                pen["fg" if n == 38 else "bg"] = ",".join(map(str, numbers[at + 1 : at + length]))
                at += length
                continue
            at += 1
            if n == 0:
                pen.clear()
            elif n < 10:
                pen[str(n)] = "on"
            elif 20 < n < 30:
                for mark in ("1", "2") if n == 22 else (str(n - 20),):
                    pen.pop(mark, None)
            elif n in (39, 49):
                pen.pop("fg" if n == 39 else "bg", None)
            elif 30 <= n < 50 or 90 <= n < 110:
                pen["fg" if n // 10 in (3, 9) else "bg"] = str(n)
            else:
                raise ValueError(f"SGR {n}")
        self._pen = frozenset(f"{k}={v}" for k, v in pen.items())
