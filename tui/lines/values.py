"""Events as records of named values, for the formats that other programs read."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import SCHEMAS, TEXTS, Field, Schema

Times = NDArray[np.int64]
"""Times in ns since 1970, shape (n,)."""


def names(program: str, hosts: bool = False) -> tuple[str, ...]:
    """The names of a program's values, in order. The name of an error or a signal stands behind its number. *hosts*:
    with the name of the host."""
    fields = _fields(SCHEMAS[program], hosts)
    return ("program", *filter(None, chain.from_iterable((f.record_name, f.beside) for f in fields)))


def columns(batch: Batch, wall_offset_ns: int, hosts: bool = False) -> list[list[Any]]:
    """One list for each of ``names``, with a value for each row: int, float, bool or str; None when unknown; bytes for
    untrusted text, and a list of bytes for arguments."""
    found: list[list[Any]] = [[batch.program] * len(batch)]
    for field in _fields(batch.schema, hosts):
        found.append(_values(batch, field, wall_offset_ns))
        if field.beside:
            found.append(list(map(field.called, found[-1])))
    return found


def _fields(schema: Schema, hosts: bool) -> list[Field]:
    return [schema[name] for name in (("host",) if hosts else ()) + schema.json]


def wall_ns(batch: Batch, wall_offset_ns: int) -> Times:
    """The wall-clock times in ns since 1970, int64. Times out of range, as in a damaged recording, wrap round."""
    return (batch.rows["ts"] + np.uint64(wall_offset_ns % (1 << 64))).astype(np.int64)


def _values(batch: Batch, field: Field, wall_offset_ns: int) -> list[Any]:
    if field.kind in TEXTS:
        return batch.text(field.name)
    if field.kind == "args":
        return batch.args(field.name)
    column = batch.rows[field.part]
    values: list[Any]
    match field.kind:
        case "time":
            stamps = wall_ns(batch, wall_offset_ns).view("datetime64[ns]")
            values = np.datetime_as_string(stamps, timezone="UTC").tolist()
        case "duration":
            values = [round(us, 3) for us in (column / 1000).tolist()]
            if field.unknown is not None:
                values = [None if ns == field.unknown else us for ns, us in zip(column.tolist(), values, strict=True)]
        case "bool":
            values = (column != 0).tolist()
        case "enum":
            values = list(map(field.word, column.tolist()))
        case _:
            numbers = column.tolist()
            values = numbers if field.unknown is None else [None if n == field.unknown else n for n in numbers]
    return values
