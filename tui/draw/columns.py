"""The columns that a table can have, and their layout in its width. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ringtop.bpf.event.schema import SCHEMAS, Field

SPACE = 1
"""Cells between columns."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A field with the position and width of its column, in cells."""

    field: Field
    x: int
    width: int


def available(program: str) -> list[Field]:
    """All fields that *program* can show: first its default columns, then the others."""
    schema = SCHEMAS[program]
    return [*map(schema.__getitem__, schema.columns), *(f for f in schema.fields if f.name not in schema.columns)]


def chosen(program: str, names: Sequence[str] = ()) -> list[Field]:
    """The fields *names* of *program*, in their order, unknown ones left out; the defaults when none is left."""
    schema = SCHEMAS[program]
    picked = [schema[n] for n in dict.fromkeys(names) if n in schema]
    return picked or [schema[n] for n in schema.columns]


def layout(fields: Sequence[Field], width: int) -> list[Placed]:
    """The columns of *fields* that fit into *width* cells, in order, each with its place.

    When *width* is too small, columns of the highest rank are left out, the rightmost first. Spare cells first widen
    columns to their usual width, by rank; the rest is shared by weight, and the heaviest column takes the remainder.
    """
    shown = list(fields)
    while len(shown) > 1 and sum(f.column.least for f in shown) + SPACE * (len(shown) - 1) > width:
        shown.remove(max(reversed(shown), key=lambda f: f.column.rank))
    if not shown:
        return []
    widths = {f.name: f.column.least for f in shown}
    spare = width - sum(widths.values()) - SPACE * (len(shown) - 1)
    for f in sorted(shown, key=lambda f: f.column.rank):
        more = min(max(0, spare), f.column.width - f.column.least)
        widths[f.name] += more
        spare -= more
    flexible = [f for f in shown if f.column.weight]
    total = sum(f.column.weight for f in flexible)
    for f in flexible:
        widths[f.name] += max(0, spare) * f.column.weight // total
    if flexible:
        last = max(flexible, key=lambda f: f.column.weight)
        used = sum(widths.values()) + SPACE * (len(shown) - 1)
        widths[last.name] += max(0, width - used)
    placed, x = [], 0
    for f in shown:
        placed.append(Placed(f, x, max(1, min(widths[f.name], width - x))))
        x += widths[f.name] + SPACE
    return placed
