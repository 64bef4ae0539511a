"""The columns that a table can have, and their layout in its width. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ringtop.bpf.event.schema import SCHEMAS, Field
from ringtop.tui.text.text import width as width_of

HOST = "host"
"""The field that tells several hosts apart."""
SPACE = 1
"""Cells between columns."""
_MAY_BE_CUT = ("time", "comm", "name", "path", "args")
_KEPT = 6
"""Cells that a text keeps which gives room to others."""


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


def chosen(program: str, names: Sequence[str] = (), several: bool = False) -> list[Field]:
    """The fields *names* of *program*, in their order, unknown ones left out; the defaults when none is left. Where
    there are *several* hosts, that of the host is among them."""
    schema = SCHEMAS[program]
    picked = [schema[n] for n in dict.fromkeys(names) if n in schema] or [schema[n] for n in schema.columns]
    if several and HOST in schema and schema[HOST] not in picked:
        picked.insert(int(picked[0].kind == "time"), schema[HOST])
    return picked


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


def fit(placed: Sequence[Placed], texts: Sequence[str]) -> Sequence[Placed]:
    """The columns of one row, some of them moved so that no number has to be cut; *placed* where there is no room."""
    widths = [p.width for p in placed]
    sizes = rooms(widths, list(map(width_of, texts)), [p.field.kind in _MAY_BE_CUT for p in placed])
    if sizes == widths or sum(sizes) > sum(widths):
        return placed
    moved, x = [], 0
    for p, size in zip(placed, sizes, strict=True):
        moved.append(Placed(p.field, x, size))
        x += size + SPACE
    return moved


def rooms(widths: Sequence[int], lengths: Sequence[int], may_be_cut: Sequence[bool]) -> list[int]:
    """The cells that each text of one row gets, given its column's width and its own length.

    A text that may not be cut and is longer than its column takes the spare room of the columns behind it, then of
    those before it, and then the room of texts that may be cut: so the columns behind stay where they are.
    """
    taken = [min(n, w) if cut else n for n, w, cut in zip(lengths, widths, may_be_cut, strict=True)]
    found = [max(w, n) for w, n in zip(widths, taken, strict=True)]
    debt = sum(found) - sum(widths)
    if not debt:
        return found
    first = next(i for i, w in enumerate(widths) if found[i] > w)
    order = [*range(first + 1, len(widths)), *range(first - 1, -1, -1)]
    least = [min(n, _KEPT) if cut else n for n, cut in zip(taken, may_be_cut, strict=True)]
    for kept in (taken, least):
        for i in order:
            given = min(debt, found[i] - kept[i])
            found[i] -= given
            debt -= given
    return found
