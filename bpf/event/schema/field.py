"""A field of an event: where it is stored, how it is compared and how it is shown. All of it is plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["int", "duration", "bool", "enum", "result", "dirfd", "time", "comm", "path", "args"]
"""How a field is compared and shown.

``duration`` is in ns; JSON and CSV tell it in µs, and ``_us`` is added to its name there. ``enum`` is the number of one
of the field's words. ``result`` is 0 or a negative errno. ``dirfd`` is the descriptor of the directory that a path
starts from, or ``AT_FDCWD``. ``comm``, ``path`` and ``args`` are untrusted bytes.
"""
Tone = Literal["", "dim", "failed", "low", "mid", "high", "late"]
"""What the colour of a value says: nothing, less important, failed, how long a wait was, or that it came late."""

UNKNOWN = 0xFFFF_FFFF
"""An id that the hook could not know, as include/ringtop.h has it."""
AT_FDCWD = -100
"""The working directory, as include/uapi/linux/fcntl.h has it."""


@dataclass(frozen=True, slots=True)
class Column:
    """How a table shows a field; widths are in cells."""

    title: str
    least: int
    """Narrowest it is still of use."""
    width: int
    """What it needs to show everything that is usual."""
    weight: int = 0
    """Its share of the width that is left; 0: never wider than ``width``."""
    rank: int = 5
    """When the table gets narrow, columns of the highest rank go first."""
    right: bool = False
    tone: Tone = ""
    """Of a number, or of a ``bool`` that is true."""


@dataclass(frozen=True, slots=True)
class Field:
    """A part of an event that filters, columns and JSON can name."""

    name: str
    kind: Kind
    about: str
    column: Column
    stored: str = ""
    """The part of the row that holds it, where that has another name."""
    unknown: int | None = None
    """The value that says that the hook could not know it; None where every value is one."""
    words: tuple[str, ...] = ()
    """What the numbers of an ``enum`` stand for; of a ``bool``: what is shown for no and for yes."""
    levels: tuple[int, int] | None = None
    """A ``duration`` stands out from the first on, and stands out more from the second on, ns."""
    cut: str = ""
    """Text: the ``bool`` field that is true where it was cut."""
    count: str = ""
    """``args``: the field with the number of arguments."""
    file: str = ""
    """``args``: the field with the path of the program that was given them."""
    base: str = ""
    """``path``: the ``dirfd`` field with the directory it starts from."""

    @property
    def tail(self) -> bool:
        """It is of variable length, and follows the fixed part of the record."""
        return self.kind in ("path", "args")

    @property
    def part(self) -> str:
        """The part of the row that holds it, or its length."""
        return f"{self.name}_len" if self.tail else self.stored or self.name

    @property
    def told(self) -> str:
        """Its name in JSON and CSV."""
        return f"{self.name}_us" if self.kind == "duration" else self.name

    def word(self, value: int) -> str:
        """The word that *value* stands for; the number itself where there is none."""
        return self.words[value] if 0 <= value < len(self.words) else str(value)
