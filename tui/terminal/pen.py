"""Pens: the settings made by SGR sequences, and the shortest sequence from one pen to another."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

ENDS = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "8": "28", "9": "29"}
"""The codes that end bold, dim, italic, and so on; bold and dim end together."""
SEEN = frozenset("4579")
"""The marks that are visible on a space, too."""


class Pen(NamedTuple):
    """Marks and colours of text. Colours are SGR parameters as sent; an empty one is the terminal's own colour."""

    marks: frozenset[str] = frozenset()
    fore: str = ""
    back: str = ""


PLAIN = Pen()


@lru_cache(4096)
def after(pen: Pen, parameters: str) -> Pen:
    """The pen after a terminal has received ``CSI parameters m``."""
    given = parameters.split(";")
    marks, fore, back = set(pen.marks), pen.fore, pen.back
    while given:
        code = given.pop(0)
        if code in ("38", "48"):
            rest = 4 if given[:1] == ["2"] else 2
            colour = ";".join([code, *given[:rest]])
            del given[:rest]
            fore, back = (colour, back) if code == "38" else (fore, colour)
        elif code in ("", "0"):
            marks, fore, back = set(), "", ""
        elif code in ("39", "49"):
            fore, back = ("", back) if code == "39" else (fore, "")
        elif len(code) > 1 and code[:-1] in ("3", "9"):
            fore = code
        elif len(code) > 1 and code[:-1] in ("4", "10"):
            back = code
        elif code in ENDS.values():
            marks = {m for m in marks if ENDS.get(m) != code}
        else:
            marks.add(code)
    return Pen(frozenset(marks), fore, back)


@lru_cache(4096)
def change(old: Pen, new: Pen) -> str:
    """The sequence that changes *old* into *new*; empty when they are the same."""
    if old == new:
        return ""
    if new == PLAIN:
        return "\x1b[m"
    gone, come = old.marks - new.marks, new.marks - old.marks
    if gone - ENDS.keys():
        return "\x1b[0;" + change(PLAIN, new)[2:]
    if gone & {"1", "2"}:
        come |= new.marks & {"1", "2"}
    codes = sorted({ENDS[m] for m in gone}) + sorted(come)
    codes += [new.fore or "39"] if new.fore != old.fore else []
    codes += [new.back or "49"] if new.back != old.back else []
    return f"\x1b[{';'.join(codes)}m"
