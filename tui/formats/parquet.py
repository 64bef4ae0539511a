"""Events as Parquet: a file for each program, a column for each field that JSON has, in the field's own type.

Integers have the kernel's width and sign, unknown ones are null. ``time`` is a timestamp in ns, UTC; a duration has its
ns and ``_ns`` behind its name. Text is a string, with U+FFFD for bytes that are not UTF-8; ``<name>_bytes`` beside it
holds the original bytes of such a text, and is null for all others. The file's metadata has, under ``ringtop``, JSON
with the program and, for each stream that was read, its host, kernel, version of ringtop and ledger.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ringtop.bpf import stream
from ringtop.bpf.event.batch import Batch, concat
from ringtop.bpf.event.schema import SCHEMAS, Field
from ringtop.tui.formats.formats import File
from ringtop.tui.lines.part import Part, Told
from ringtop.tui.lines.values import Times

_GROUP_ROWS = 1 << 16
_GROUP_BYTES = 16 << 20
_GROUP_PARTS = 1 << 14
"""A row group is written as soon as it has so many rows, or bytes of events, or is put together of so many parts."""
_TIME = pa.timestamp("ns", "UTC")


class Parquet:
    """Writes Parquet; a ``Writer``. Rows are sorted by time within a row group."""

    def __init__(self, files: Mapping[str, File]) -> None:
        self._tables = {program: _Table(program, file) for program, file in files.items()}

    def hear(self, message: stream.AnyMessage, number: int = 0) -> None:
        """Take nothing: what a stream tells stands at the end of the files."""

    def put(self, parts: Sequence[Part]) -> None:
        """Take events. Raises CannotWrite."""
        for part in parts:
            self._tables[part.batch.program].put(part)

    def close(self, streams: Sequence[Told]) -> None:
        """Write the last row groups and the metadata. Raises CannotWrite."""
        for table in self._tables.values():
            table.close(streams)


class _Table:
    """The file of one program."""

    def __init__(self, program: str, file: File) -> None:
        self._program = program
        self._writer = pq.ParquetWriter(pa.PythonFile(file, "w"), _schema(program), compression="zstd")
        self._held: list[Part] = []
        self._rows = self._bytes = 0

    def put(self, part: Part) -> None:
        if not len(part.batch):
            return
        batch = part.batch.compact()
        self._held.append(Part(batch, part.wall_offset_ns, part.number))
        self._rows += len(batch)
        self._bytes += batch.rows.nbytes + len(batch.tails)
        if self._rows >= _GROUP_ROWS or self._bytes >= _GROUP_BYTES or len(self._held) >= _GROUP_PARTS:
            self._write()

    def _write(self) -> None:
        if self._held:
            times = np.concatenate([part.wall_ns for part in self._held])
            order = np.argsort(times, kind="stable")
            batch = concat(self._program, (part.batch for part in self._held)).take(order)
            self._held, self._rows, self._bytes = [], 0, 0
            self._writer.write_table(pa.table(_columns(batch, times[order]), _schema(self._program)))

    def close(self, streams: Sequence[Told]) -> None:
        self._write()
        told = {"program": self._program, "streams": [_told(self._program, one) for one in streams]}
        self._writer.add_key_value_metadata({"ringtop": json.dumps(told)})
        self._writer.close()


def _told(program: str, told: Told) -> dict[str, Any]:
    hello = told.hello
    about = {"host": hello.host, "kernel": hello.kernel, "version": hello.version} if hello is not None else {}
    return {**about, "damage": told.damage, "ledger": told.ledger.get(program)}


@cache
def _schema(program: str) -> pa.Schema:
    schema = SCHEMAS[program]
    columns = [("program", pa.string())]
    for field in map(schema.__getitem__, schema.json):
        match field.kind:
            case "comm" | "name" | "path":
                columns += [(field.name, pa.string()), (f"{field.name}_bytes", pa.binary())]
            case "args":
                columns += [(field.name, pa.list_(pa.string())), (f"{field.name}_bytes", pa.list_(pa.binary()))]
            case "time":
                columns.append((field.name, _TIME))
            case "bool":
                columns.append((field.name, pa.bool_()))
            case "enum":
                columns.append((field.name, pa.string()))
            case _:
                columns.append((_name(field), pa.from_numpy_dtype(schema.dtype[field.part])))
                if field.beside:
                    columns.append((field.beside, pa.string()))
    return pa.schema(columns)


def _name(field: Field) -> str:
    return f"{field.name}_ns" if field.kind == "duration" else field.name


def _columns(batch: Batch, times: Times) -> list[Any]:
    """The columns of ``_schema``."""
    columns = [pa.repeat(batch.program, len(batch))]
    for field in map(batch.schema.__getitem__, batch.schema.json):
        match field.kind:
            case "comm" | "name" | "path":
                columns += _text(batch.text(field.name), pa.binary(), pa.string())
            case "args":
                columns += _text(batch.args(field.name), pa.list_(pa.binary()), pa.list_(pa.string()))
            case "time":
                columns.append(pa.array(times.view("datetime64[ns]"), _TIME))
            case "bool":
                columns.append(pa.array(batch.rows[field.part] != 0))
            case "enum":
                columns.append(pa.array(list(map(field.word, batch.rows[field.part].tolist())), pa.string()))
            case _:
                numbers = np.ascontiguousarray(batch.rows[field.part])
                columns.append(pa.array(numbers, mask=None if field.unknown is None else numbers == field.unknown))
                if field.beside:
                    columns.append(pa.array(list(map(field.called, numbers.tolist())), pa.string()))
    return columns


def _text(values: list[Any], raw: pa.DataType, text: pa.DataType) -> tuple[pa.Array, pa.Array]:
    """The *values*, bytes or lists of bytes, as text, and those which are not UTF-8 as bytes."""
    original = pa.array(values, raw)
    try:
        return original.cast(text), pa.nulls(len(values), raw)
    except pa.ArrowInvalid:
        shown = [_decoded(value) for value in values]
        broken = [value if _encoded(told) != value else None for value, told in zip(values, shown, strict=True)]
        return pa.array(shown, text), pa.array(broken, raw)


def _decoded(value: bytes | list[bytes]) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else [_decoded(one) for one in value]


def _encoded(value: str | list[str]) -> Any:
    return value.encode() if isinstance(value, str) else [_encoded(one) for one in value]
