"""The canvas holds the wanted screen cell by cell. It is built from Textual's output, which repaints far more than has
changed."""

from __future__ import annotations

import re
from functools import lru_cache

from rich.cells import get_character_cell_size

from ringtop.tui.terminal.pen import PLAIN, after

_TOKEN = re.compile(
    r"\x1b\[([\d;]*)m([^\x00-\x1f\x7f]*)(\x1b\[0m)?"  # a pen, its text, and usually its end
    r"|\x1b\[(\d+);(\d+)H"
    r"|([^\x00-\x1f\x7f]+)"
    r"|(\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\)|\x1b[^\[]|[\x00-\x1f\x7f])",
    re.DOTALL,
)


class Canvas:
    """Cells of text and their pens. A wide character is followed by an empty cell."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.text = [[" "] * width for _ in range(height)]
        self.pens = [[PLAIN] * width for _ in range(height)]
        self.x = self.y = 0
        """The position of the cursor."""
        self._pen = PLAIN

    def copy(self) -> Canvas:
        """An independent copy."""
        made = Canvas(0, 0)
        made.width, made.height, made.x, made.y = self.width, self.height, self.x, self.y
        made.text = [line.copy() for line in self.text]
        made.pens = [line.copy() for line in self.pens]
        return made

    def resize(self, width: int, height: int) -> None:
        """Change the size: cells outside are cut, new cells are blank."""
        old, self.width, self.height = self.copy(), width, height
        self.text = [[*line[:width], *[" "] * (width - len(line))] for line in old.text[:height]]
        self.pens = [[*line[:width], *[PLAIN] * (width - len(line))] for line in old.pens[:height]]
        self.text += [[" "] * width for _ in range(height - len(self.text))]
        self.pens += [[PLAIN] * width for _ in range(height - len(self.pens))]

    def write(self, data: str) -> list[str]:
        """Apply terminal output to the cells; returns the sequences that do not concern cells."""
        others = []
        for sgr, text, end, y, x, bare, other in _TOKEN.findall(data):
            if other:
                others += [other] if other != "\n" else []  # a cursor position follows each newline
            elif y:
                self.x, self.y = int(x) - 1, int(y) - 1
            else:
                if not bare:
                    self._pen = after(self._pen, sgr)
                self._put(text or bare)
                if end:
                    self._pen = PLAIN
        return others

    def _put(self, text: str) -> None:
        cells = text if text.isascii() else _cells(text)
        x, room = self.x, self.width - self.x
        self.x += len(cells)
        if self.y >= self.height or room <= 0 or not cells:
            return
        line, end = self.text[self.y], x + min(len(cells), room)
        # A wide character that is overwritten by half leaves a blank.
        if not line[x]:
            line[x - 1] = " "
        if end < self.width and not line[end]:
            line[end] = " "
        line[x:end] = cells[: end - x]
        if len(cells) > room and not cells[room]:
            line[-1] = " "
        self.pens[self.y][x:end] = [self._pen] * (end - x)


@lru_cache(4096)
def _cells(text: str) -> list[str]:
    cells: list[str] = []
    for char in text:
        width = get_character_cell_size(char)
        if width:
            cells += [char, *[""] * (width - 1)]
        elif cells:
            at = max(i for i, cell in enumerate(cells) if cell)
            cells[at] += char
    return cells
