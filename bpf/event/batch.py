"""Batches: the events of one program as a NumPy structured array, with their text of variable length beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.event.args import split_args
from ringtop.bpf.event.names import UNNAMED, Names
from ringtop.bpf.event.schema import SCHEMAS, Schema

Rows = NDArray[np.void]
"""Structured array, shape (n,), dtype ``Schema.dtype``."""
_PADDING = 3
"""Most bytes of padding that a reader may leave after an event's text."""
Index = NDArray[np.intp] | NDArray[np.bool_] | slice


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one program, in the order they were received."""

    program: str
    rows: Rows
    tails: bytes
    """Text of all events. A row's text begins at its ``tail`` and holds the schema's tail fields one after another."""
    names: Names = UNNAMED
    """The names of numbers in the rows: all batches of a stream share them."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def schema(self) -> Schema:
        """The program's schema."""
        return SCHEMAS[self.program]

    def take(self, index: Index) -> Batch:
        """Return the rows that *index* (a mask, positions or a slice) selects; they share ``tails``."""
        return Batch(self.program, _blocks(self.rows)[index].view(self.rows.dtype), self.tails, self.names)

    def copy(self) -> Batch:
        """Return the same events in rows of their own, which may be written to."""
        return Batch(self.program, _blocks(self.rows).copy().view(self.rows.dtype), self.tails, self.names)

    def compact(self) -> Batch:
        """Return the same events with only their own text in ``tails``, apart from a few bytes of padding."""
        if not self.schema.tail or not len(self.rows):
            return Batch(self.program, self.rows, b"", self.names)
        rows = self.copy().rows
        size = sum(rows[f"{name}_len"].astype(np.int64) for name in self.schema.tail)
        start = rows["tail"].astype(np.int64)
        first, last = int(start.min()), int((start + size).max())
        if last - first <= np.sum(size) + _PADDING * len(rows):  # neighbours: no other event's text lies between
            rows["tail"] -= np.uint32(first)
            return Batch(self.program, rows, self.tails[first:last], self.names)
        ends = (start + size).tolist()
        tails = [self.tails[a:b] for a, b in zip(start.tolist(), ends, strict=True)]
        rows["tail"] = np.cumsum([0, *map(len, tails[:-1])])
        return Batch(self.program, rows, b"".join(tails), self.names)

    def number(self, name: str, row: int) -> int | None:
        """Return a number field of one row; None where the value is unknown."""
        field = self.schema[name]
        value = int(self.rows[field.part][row])
        return None if value == field.unknown else value

    def text(self, name: str) -> list[bytes]:
        """Return the raw, untrusted values of a text: ``comm`` kinds without their NULs, those of the tail unchanged,
        those of the kind ``name`` as ``names`` has them now.

        An offset that points outside ``tails`` (a damaged recording) gives a shorter or empty value, never an error.
        """
        if name in self.schema and self.schema[name].kind == "name":
            few, of = self.names.values(name, self.rows)
            return list(map(few.__getitem__, of.tolist()))
        if not self.schema.parts(name):
            values: list[bytes] = self.rows[name].tolist()
            return values
        before, size = extent(self.schema, self.rows, name)
        start = self.rows["tail"] + before
        tails = self.tails
        return [tails[a:b] for a, b in zip(start.tolist(), (start + size).tolist(), strict=True)]

    def args(self, name: str) -> list[list[bytes]]:
        """Return the arguments of each row's ``args`` field, raw and untrusted."""
        return list(map(split_args, self.text(name), self.rows[self.schema[name].count].tolist()))

    def cut(self, name: str) -> list[bool]:
        """Return for each row whether the text field *name* was cut because it was too long to keep."""
        flag = self.schema[name].cut
        cut: list[bool] = (self.rows[flag] != 0).tolist() if flag else [False] * len(self)
        return cut


def extent(schema: Schema, rows: Rows, name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where the text *name* (a field or a part of the tail) begins in the text of each row, and its size."""
    parts = schema.parts(name)
    before = np.zeros(len(rows), np.int64)
    for earlier in schema.tail[: schema.tail.index(parts[0])]:
        before += rows[f"{earlier}_len"]
    size = np.zeros(len(rows), np.int64)
    for part in parts:
        size += rows[f"{part}_len"]
    return before, size


def _blocks(rows: Rows) -> Rows:
    """View the rows as blocks of bytes: NumPy copies structured rows field by field, which takes five times longer."""
    return rows.view(f"V{rows.dtype.itemsize}")


def empty(program: str) -> Batch:
    """Return a batch without events."""
    return Batch(program, np.empty(0, SCHEMAS[program].dtype), b"")


def concat(program: str, parts: Iterable[Batch]) -> Batch:
    """Join *parts* (all of *program*, with the same names) into one batch, in their order."""
    kept = [p for p in parts if len(p)]
    if not kept:
        return empty(program)
    if len(kept) == 1:
        return kept[0]
    rows = np.concatenate([_blocks(p.rows) for p in kept]).view(SCHEMAS[program].dtype)
    sizes = [len(p.tails) for p in kept]
    bases = np.cumsum([0, *sizes[:-1]])
    rows["tail"] += np.repeat(bases, [len(p) for p in kept]).astype(np.uint32)
    return Batch(program, rows, b"".join(p.tails for p in kept), kept[0].names)
