"""Fields that a display filter can compare and that no event stores: they follow from other fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import Column, Field, Schema


@dataclass(frozen=True, slots=True)
class Derived:
    """A field that follows from the fields *needs*, which a program's events must have."""

    field: Field
    needs: tuple[str, ...]
    values: Callable[[Batch], list[bytes]]
    """The raw, untrusted values for the events of a batch."""


def _dirs(batch: Batch) -> list[bytes]:
    return [path[: path.rfind(b"/") + 1] for path in batch.text("full")]


def _subcommands(batch: Batch) -> list[bytes]:
    return [_labels(*line)[1] for line in zip(batch.text("filename"), batch.text("argv"), strict=True)]


def _commands(batch: Batch) -> list[bytes]:
    return [_labels(*line)[2] for line in zip(batch.text("filename"), batch.text("argv"), strict=True)]


@lru_cache(1 << 12)
def _labels(filename: bytes, argv: bytes) -> tuple[bytes, bytes, bytes]:
    from ringtop.bpf.event.command.command import line_labels  # a collector starts faster without it

    return line_labels(filename, argv)


def _field(name: str, about: str) -> Field:
    return Field(name, "path", about, Column(name.upper(), 8, 24))


DERIVED: dict[str, Derived] = {
    d.field.name: d
    for d in (
        Derived(_field("dir", "directory of the path, with the last /"), ("full",), _dirs),
        Derived(_field("subcommand", "program, with its subcommand or script"), ("filename", "argv"), _subcommands),
        Derived(_field("command", "the same, with the names of its options"), ("filename", "argv"), _commands),
    )
}
"""All derived fields, by name."""


def derived(name: str, schema: Schema) -> Derived | None:
    """The derived field called *name* of the events of *schema*; None when it is no such field or they lack it."""
    found = DERIVED.get(name)
    return found if found is not None and all(need in schema for need in found.needs) else None
