"""Parsed filters: comparisons joined by and, or, not; and the error that points to a column of the filter's text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Literal

from ringtop.bpf.common.errors import FilterError
from ringtop.bpf.filter.regex import Pattern

Operator = Literal["=", "!=", ">", ">=", "<", "<=", "~", "!~"]
Value = int | bytes | str | Pattern | None
"""A value by kind of field: a number (ns for durations, 0 or 1 for bools, the number of an ``op``), a text's bytes, a
program's name or a regular expression. None is ``unknown``."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a filter's text; the column counts characters from 0."""

    text: str = ""
    column: int = 0

    def error(self, message: str) -> FilterError:
        """Return an error at this place."""
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
    """True when all parts are true; without parts it is always true."""

    parts: tuple[Expr, ...]
    at: Position = attribute(default=_NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Or:
    """True when at least one part is true; without parts it is never true."""

    parts: tuple[Expr, ...]
    at: Position = attribute(default=_NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Not:
    """True when *part* is false."""

    part: Expr
    at: Position = attribute(default=_NOWHERE, compare=False, repr=False)


Expr = Compare | And | Or | Not

ALL = And(())
"""The filter that every event passes."""
NONE = Or(())
"""The filter that no event passes."""


def terms(expr: Expr) -> Iterator[Compare]:
    """Yield all comparisons in *expr*, in the order in which they are written."""
    match expr:
        case Compare():
            yield expr
        case Not(part):
            yield from terms(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from terms(part)


def mentions(expr: Expr, name: str) -> bool:
    """Return whether *expr* compares the field *name* anywhere."""
    return any(term.field == name for term in terms(expr))
