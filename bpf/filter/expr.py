"""A parsed filter: comparisons joined by and, or, not; and the error that points into its text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Literal

from ringtop.bpf.filter.regex import Pattern

Operator = Literal["=", "!=", ">", ">=", "<", "<=", "~", "!~"]
Value = int | bytes | str | Pattern | None
"""By kind of field: a number (ns for durations, 0 or 1 for bools, the number of an ``op``), text, a program's name, a
regular expression; None is ``unknown``."""


class FilterError(ValueError):
    """The filter *text* is wrong at *column* (characters from 0). Neither was made safe to show."""

    def __init__(self, message: str, text: str, column: int) -> None:
        super().__init__(message, text, column)
        self.message = message
        self.text = text
        self.column = column

    def __str__(self) -> str:
        return f"{self.message} (column {self.column + 1} of the filter)"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a filter's text; column in characters from 0."""

    text: str = ""
    column: int = 0

    def error(self, message: str) -> FilterError:
        """An error at this place."""
        return FilterError(message, self.text, self.column)


_NOWHERE = Position()


@dataclass(frozen=True, slots=True)
class Compare:
    """One term: ``field op value``. *field* is a schema field's name or ``program``."""

    field: str
    op: Operator
    value: Value
    at: Position = attribute(default=_NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class And:
    """True when all parts are; with no parts, always."""

    parts: tuple[Expr, ...]
    at: Position = attribute(default=_NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Or:
    """True when a part is; with no parts, never."""

    parts: tuple[Expr, ...]
    at: Position = attribute(default=_NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Not:
    """True when *part* is not."""

    part: Expr
    at: Position = attribute(default=_NOWHERE, compare=False, repr=False)


Expr = Compare | And | Or | Not

ALL = And(())
"""Every event."""
NONE = Or(())
"""No event."""


def terms(expr: Expr) -> Iterator[Compare]:
    """All comparisons in *expr*, in the order they are written."""
    match expr:
        case Compare():
            yield expr
        case Not(part):
            yield from terms(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from terms(part)


def mentions(expr: Expr, name: str) -> bool:
    """Whether *expr* compares the field *name* anywhere."""
    return any(term.field == name for term in terms(expr))
