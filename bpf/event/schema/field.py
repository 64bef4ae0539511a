"""A field of an event: where it is stored, how it is compared and how it is shown. Plain data only."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, overload

from ringtop.bpf.common import signals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Kind = Literal["int", "duration", "bool", "enum", "result", "status", "dirfd", "time", "comm", "name", "path", "args"]
"""How a field is compared and shown.

``duration`` is in ns; JSON and CSV write it in µs and add ``_us`` to its name. ``enum`` is the number of one of the
field's words. ``result`` is 0 or a negative errno, ``status`` an exit code or, below 0, the number of a signal with a
minus sign. ``dirfd`` is the descriptor of the directory that a path starts from, or ``AT_FDCWD``. ``comm``, ``name``,
``path`` and ``args`` are untrusted bytes. A ``name`` is not in the row: ``Batch.names`` has it for a number in the row.
"""
TEXTS: frozenset[Kind] = frozenset({"comm", "name", "path"})
"""The kinds whose value is one text."""
Tone = Literal["", "dim", "failed", "low", "mid", "high", "late"]
"""The meaning of a value's colour: none, less important, failed, the length of a wait (low, mid, high), or late."""

UNKNOWN = 0xFFFF_FFFF
"""The id that a hook writes when it cannot know the real one (as in include/ringtop.h)."""
AT_FDCWD = -100
"""The descriptor that stands for the working directory (include/uapi/linux/fcntl.h)."""


@dataclass(frozen=True, slots=True)
class Column:
    """How a table shows a field; widths are in cells."""

    title: str
    least: int
    """The narrowest width at which the column is still useful."""
    width: int
    """The width that shows all usual values in full."""
    weight: int = 0
    """The column's share of spare width; with 0 it is never wider than ``width``."""
    rank: int = 5
    """When the table gets narrow, the columns with the highest rank are hidden first."""
    right: bool = False
    tone: Tone = ""
    """The tone of a number, or of a ``bool`` that is true."""


@dataclass(frozen=True, slots=True)
class Field:
    """A part of an event that filters, columns and JSON can name."""

    name: str
    kind: Kind
    about: str
    column: Column
    stored: str = ""
    """The part of the row that holds the field, where its name differs from ``name``."""
    unknown: int | None = None
    """The value that means that the hook could not know the real one; None where no value has that meaning."""
    words: tuple[str, ...] = ()
    """The meanings of an ``enum``'s numbers; for a ``bool``, the words shown for false and for true."""
    levels: tuple[int, int] | None = None
    """Two thresholds of a ``duration`` in ns: it stands out from the first on, and more strongly from the second on."""
    cut: str = ""
    """For text: the ``bool`` field that is true where the text was cut."""
    count: str = ""
    """For ``args``: the field with the number of arguments."""
    file: str = ""
    """For ``args``: the field with the path of the program that received them."""
    base: str = ""
    """For ``path``: the ``dirfd`` field with the directory that the path starts from."""
    joins: tuple[str, ...] = ()
    """For text that is no part of the record's tail itself: the neighbouring parts that it is made of."""

    @property
    def tail(self) -> bool:
        """Whether the field has variable length and follows the fixed part of the record."""
        return self.kind in ("path", "args")

    @property
    def part(self) -> str:
        """The part of the row that holds a field that is neither in the tail nor a ``name``."""
        return self.stored or self.name

    @property
    def record_name(self) -> str:
        """The field's name in JSON and CSV."""
        return f"{self.name}_us" if self.kind == "duration" else self.name

    def word(self, value: int) -> str:
        """Return the word for *value*: the name of an error or a signal, or the number itself where it has no word."""
        match self.kind:
            case "result":
                return "ok" if value == 0 else errno.errorcode.get(-value, str(value))
            case "status":
                return signals.name(-value) if value < 0 else str(value)
        return self.words[value] if 0 <= value < len(self.words) else str(value)

    @property
    def beside(self) -> str:
        """The name in JSON, CSV and Parquet of what ``called`` gives; empty where it gives nothing."""
        return {"result": "errno", "status": "signal"}.get(self.kind, "")

    def called(self, value: int) -> str | None:
        """Return the name of the error or of the signal that *value* means; None where it means none or has none."""
        word = self.word(value)
        return word if value < 0 and word.isupper() else None

    @overload
    def failed(self, value: int) -> bool: ...

    @overload
    def failed(self, value: NDArray[np.integer]) -> NDArray[np.bool_]: ...

    def failed(self, value: Any) -> Any:
        """Return whether the *value* of a ``result`` or ``status``, or which of its values, is that of a failure."""
        return value < 0 if self.kind == "result" else value != 0
