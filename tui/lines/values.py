"""Events as records of named values, for the formats that other programs read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.event.args import split_args
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import OPS, Field

_FIRST = ("program", "time", "ts_ns", "cpu", "seq", "pid", "tid", "ppid", "uid", "cgroup", "comm")
_OWN = {
    "runqslower": ("latency_us", "prev_pid", "prev_tid", "prev_comm", "preempted", "late"),
    "execsnoop": ("filename", "argv", "argc", "truncated", "ret", "late"),
    "unlinksnoop": ("path", "dfd", "op", "ret", "truncated", "late"),
}
NAMES: dict[str, tuple[str, ...]] = {program: _FIRST + own for program, own in _OWN.items()}
"""Names of a program's values, in order."""


def columns(batch: Batch, wall_offset_ns: int) -> list[list[Any]]:
    """The values of each of ``NAMES``, one a row: int, float, bool, str; None where unknown; untrusted text as bytes,
    arguments as a list of bytes."""
    return [_column(batch, name, wall_offset_ns) for name in NAMES[batch.program]]


def wall_ns(batch: Batch, wall_offset_ns: int) -> NDArray[np.int64]:
    """Wall-clock times in ns since 1970. What does not fit (a damaged recording) wraps round."""
    return (batch.rows["ts"] + np.uint64(wall_offset_ns % (1 << 64))).astype(np.int64)


def _column(batch: Batch, name: str, wall_offset_ns: int) -> list[Any]:
    if name == "program":
        return [batch.program] * len(batch)
    if name == "time":
        stamps = wall_ns(batch, wall_offset_ns).view("datetime64[ns]")
        return [f"{stamp}Z" for stamp in np.datetime_as_string(stamps).tolist()]
    if name == "latency_us":
        return [round(us, 3) for us in (batch.rows["latency"] / 1000).tolist()]
    return _values(batch, batch.schema[name])


def _values(batch: Batch, field: Field) -> list[Any]:
    match field.kind:
        case "comm" | "path":
            return batch.text(field.name)
        case "args":
            return list(map(split_args, batch.text(field.name), batch.rows["argc"].tolist()))
        case "bool":
            flags: list[Any] = (batch.rows[field.name] != 0).tolist()
            return flags
        case "op":
            return [OPS[op] if op < len(OPS) else str(op) for op in batch.rows[field.name].tolist()]
        case _:
            numbers: list[Any] = batch.rows[field.column or field.name].tolist()
            return numbers if field.unknown is None else [None if n == field.unknown else n for n in numbers]
