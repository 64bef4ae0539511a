"""What one event of each program looks like: the layout the BPF programs write, and what a reader may call its parts.

The layouts mirror ``include/ringtop.h`` byte for byte (a test compares the sizes). Everything here is plain data: no
kernel is needed to decode, filter or draw an event.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Kind = Literal["int", "duration", "bool", "comm", "path", "args", "op", "time"]
"""How a field is compared and shown. ``comm``, ``path`` and ``args`` are untrusted bytes."""

UNKNOWN = 0xFFFF_FFFF
"""An id that the hook could not know, as include/ringtop.h has it."""

AT_FDCWD = -100
"""dfd of a path that is relative to the working directory (include/uapi/linux/fcntl.h)."""

OPS = ("unlink", "rmdir")
"""unlinksnoop's ``op`` by number."""


@dataclass(frozen=True, slots=True)
class Field:
    """A part of an event that filters, columns and JSON can name."""

    name: str
    kind: Kind
    about: str
    column: str = ""
    """Column of the row that holds it; its own name unless said. For text in the tail: the column of its length."""
    unknown: int | None = None
    """The value that says that the hook could not know it; None where every value is one."""


@dataclass(frozen=True, slots=True)
class Schema:
    """One program's events."""

    program: str
    about: str
    dtype: np.dtype[np.void]
    """The fixed part of a record, as the kernel writes it (little endian, 8-byte multiple)."""
    tail: tuple[str, ...]
    """Text fields of variable length that follow the fixed part, in order."""
    fields: tuple[Field, ...]

    def __getitem__(self, name: str) -> Field:
        """The field called *name*, which there is."""
        return next(f for f in self.fields if f.name == name)

    def field(self, name: str) -> Field | None:
        """The field called *name*, or None."""
        return next((f for f in self.fields if f.name == name), None)


_COMMON: list[tuple[str, str]] = [
    ("ts", "<u8"),  # ktime_get_ns (CLOCK_MONOTONIC)
    ("seq", "<u8"),  # emit attempts of this program on this CPU before this one
    ("cgroup", "<u8"),  # cgroup v2 id; 0 where unknown
    ("cpu", "<u4"),
    ("pid", "<u4"),  # thread group
    ("tid", "<u4"),
    ("ppid", "<u4"),
    ("uid", "<u4"),
    ("tail", "<u4"),  # 0 in the kernel; readers put the offset of this event's text in Batch.tails here
    ("comm", "S16"),
]

_FIELDS = (
    Field("time", "time", "wall-clock time of the event", "ts"),
    Field("ts_ns", "int", "kernel monotonic clock, ns", "ts"),
    Field("cpu", "int", "CPU it happened on"),
    Field("seq", "int", "number among this program's events on this CPU; a hole is a lost event"),
    Field("pid", "int", "process (thread group) id, as seen from the host", unknown=UNKNOWN),
    Field("tid", "int", "thread id", unknown=UNKNOWN),
    Field("ppid", "int", "parent's process id", unknown=UNKNOWN),
    Field("uid", "int", "real user id", unknown=UNKNOWN),
    Field("cgroup", "int", "cgroup v2 id", unknown=0),
    Field("comm", "comm", "the thread's name"),
    Field("late", "bool", "arrived too late for its place in time: events stamped later were shown before it"),
)


def _dtype(*own: tuple[str, str]) -> np.dtype[np.void]:
    return np.dtype(_COMMON + list(own))


RUNQSLOWER = Schema(
    "runqslower",
    "tasks that waited too long for a CPU",
    _dtype(
        ("latency", "<u8"),  # ns from runnable to running
        ("prev_pid", "<u4"),
        ("prev_tid", "<u4"),
        ("prev_comm", "S16"),
        ("preempted", "<u4"),
        ("late", "<u4"),  # 0 in the kernel; see bpf/collector/order.py
    ),
    (),
    (
        *_FIELDS,
        Field("latency", "duration", "time from runnable to running (run queue latency)"),
        Field("prev_pid", "int", "process that ran on the CPU just before", unknown=UNKNOWN),
        Field("prev_tid", "int", "thread that ran on the CPU just before", unknown=UNKNOWN),
        Field("prev_comm", "comm", "its name"),
        Field("preempted", "bool", "it waited because it was preempted, not because it was woken"),
    ),
)

EXECSNOOP = Schema(
    "execsnoop",
    "programs started",
    _dtype(
        ("ret", "<i4"),  # 0 or -errno
        ("argc", "<u4"),
        ("filename_len", "<u4"),
        ("argv_len", "<u4"),
        ("truncated", "<u4"),
        ("late", "<u4"),  # 0 in the kernel; see bpf/collector/order.py
    ),
    ("filename", "argv"),
    (
        *_FIELDS,
        Field("ret", "int", "0, or the negative errno of a failed exec"),
        Field("filename", "path", "file given to execve", "filename_len"),
        Field("argv", "args", "the arguments", "argv_len"),
        Field("argc", "int", "number of arguments"),
        Field("truncated", "bool", "filename or arguments were longer than what is kept, or could not be read"),
    ),
)

UNLINKSNOOP = Schema(
    "unlinksnoop",
    "files deleted",
    _dtype(
        ("ret", "<i4"),
        ("dfd", "<i4"),
        ("op", "<u4"),
        ("path_len", "<u4"),
        ("truncated", "<u4"),
        ("late", "<u4"),  # 0 in the kernel; see bpf/collector/order.py
    ),
    ("path",),
    (
        *_FIELDS,
        Field("ret", "int", "0, or the negative errno"),
        Field("op", "op", "unlink or rmdir"),
        Field("dfd", "int", "directory descriptor a relative path starts from (-100: the working directory)"),
        Field("path", "path", "path as given", "path_len"),
        Field("truncated", "bool", "the path was longer than what is kept, or could not be read"),
    ),
)

SCHEMAS: dict[str, Schema] = {s.program: s for s in (RUNQSLOWER, EXECSNOOP, UNLINKSNOOP)}
"""All programs, in the order they are shown."""
