"""Computes the text that makes a terminal show a new canvas, given the canvas it shows now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ringtop.tui.terminal.canvas import Canvas
from ringtop.tui.terminal.pen import PLAIN, SEEN, Pen, change

NEAR = 4
"""Writing up to this many unchanged cells again is cheaper than moving the cursor past them."""


def delta(old: Canvas | None, new: Canvas) -> str:
    """The text that leads from *old* (None: unknown) to *new*, cursor included; empty when both look the same."""
    if old is not None and (old.width, old.height) != (new.width, new.height):
        old = None
    writer = _Writer()
    for y in range(new.height):
        # Colours take most of the bytes, so each line starts with the stretches that the current pen can write.
        stretches = list(_stretches(old, new, y))
        for pen in sorted({s.pen for s in stretches}, key=lambda pen: pen != writer.pen):
            for stretch in stretches:
                if stretch.pen == pen:
                    writer.write(stretch, y, new.text[y])
    moved = old is None or (old.x, old.y) != (new.x, new.y)
    return writer.finish(new) if writer.parts or moved else ""


@dataclass(slots=True)
class _Stretch:
    """Adjacent cells of a line that one pen can write."""

    start: int
    end: int
    pen: Pen


def _stretches(old: Canvas | None, new: Canvas, y: int) -> Iterator[_Stretch]:
    """The changed stretches of line *y*."""
    text, pens = new.text[y], new.pens[y]
    changed: list[int] | range = range(new.width)
    if old is not None:
        was, were = old.text[y], old.pens[y]
        if was == text and were == pens:
            return
        cells = enumerate(zip(text, was, pens, were, strict=True))
        changed = [x for x, (a, b, c, d) in cells if a != b or (c is not d and c != d)]
    found: _Stretch | None = None
    for x in changed:
        if found and x - found.end <= NEAR:
            # The usual case is checked first: this runs some thousand times a frame.
            usual = x == found.end and pens[x] is found.pen
            if usual or all(_fits(text[i], pens[i], found.pen) for i in range(found.end, x + 1)):
                found.end = x + 1
                continue
        if found:
            yield found
        found = _Stretch(x if text[x] else x - 1, x + 1, pens[x])
    if found:
        yield found


def _fits(cell: str, pen: Pen, other: Pen) -> bool:
    """Whether a cell looks the same when it is written with the *other* pen."""
    if pen is other or pen == other:
        return True
    return cell == " " and pen.back == other.back and not (pen.marks | other.marks) & SEEN


class _Writer:
    """Writes stretches, and keeps track of the terminal's cursor and pen."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.pen = PLAIN
        self._at: tuple[int, int] | None = None

    def write(self, stretch: _Stretch, y: int, text: list[str]) -> None:
        """Write one stretch of line *y*, whose cells are *text*."""
        self.parts.append(change(self.pen, stretch.pen))
        self.pen = stretch.pen
        self._move(stretch.start, y)
        plain = "".join(cells := text[stretch.start : stretch.end])
        if plain.isascii():
            self.parts.append(plain)
            self._at = (stretch.end, y)
            return
        for x, cell in enumerate(cells, stretch.start):
            if cell:
                self._move(x, y)
                self.parts.append(cell)
                # Terminals disagree on the width of some characters: after one, the cursor position is sent again.
                sure = len(cell) == 1 and (x + 1 == len(text) or text[x + 1])
                self._at = (x + 1, y) if sure else None

    def _move(self, x: int, y: int) -> None:
        if self._at == (x, y):
            return
        ahead = x - self._at[0] if self._at is not None and self._at[1] == y else 0
        self.parts.append(f"\x1b[{ahead}C" if ahead > 0 else f"\x1b[{y + 1};{x + 1}H")
        self._at = (x, y)

    def finish(self, canvas: Canvas) -> str:
        """The whole text; it starts and ends with a plain pen, and leaves the cursor where *canvas* has it."""
        self._move(canvas.x, canvas.y)
        return "".join([*self.parts, change(self.pen, PLAIN)])
