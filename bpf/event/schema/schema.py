"""The description of a program's events: the layout that its BPF program writes, and all that is said of them.

A layout mirrors ``include/ringtop.h`` and the program's C source byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ringtop.bpf.event.schema.field import UNKNOWN, Column, Field


@dataclass(frozen=True, slots=True)
class LineColumn:
    """A column of the lines that ``ringtop trace`` prints for one program."""

    title: str
    text: str
    """A template of fields: ``{prev_comm}/{prev_pid}``."""
    width: int = 0
    right: bool = False
    cut: bool = False
    """What is longer is cut where lines have a width; in other columns it pushes what follows to the right."""
    marked: bool = False
    """It has the colour of the field that marks the event."""


@dataclass(frozen=True, slots=True)
class Schema:
    """One program's events."""

    program: str
    about: str
    dtype: np.dtype[np.void]
    """The fixed part of a record, as the kernel writes it (little endian, 8-byte multiple)."""
    fields: tuple[Field, ...]
    """Text of variable length follows the fixed part, in this order."""
    mark: str
    """The field that tells whether the event is bad: that it failed, or took long."""
    columns: tuple[str, ...]
    """Fields that its table shows unless chosen otherwise."""
    json: tuple[str, ...]
    """Fields that JSON and CSV tell, in this order."""
    line: tuple[LineColumn, ...]
    """A line of ``ringtop trace`` when only this program is traced."""
    details: str
    """The end of a line when there are others: a template of fields."""
    brief: tuple[str, ...]
    """What is said of an event among all those of a process: templates of one field each."""
    done: str = ""
    """What happened, where it did not fail, as a column of a top is called: 'started'; its name where nothing is
    said."""
    many: str = ""
    """The same of many, in a sentence: 'programs started'."""
    keys: tuple[str, ...] = ("cpu", "uid", "unit", "comm", "pid", "tid")
    """Keys that a top can fold its events by (``PARTS`` of tui/top/parts.py, joined by ``+``), from coarse to fine
    where one contains the other."""
    key: str = "comm"
    """The one that it begins with."""
    text_bytes: int = 0
    """Text that a row is expected to bring into the history; what is longer costs rows."""
    colour: str = "foreground"
    """The colour of a theme in which its name is shown where the theme has none for it."""

    tail: tuple[str, ...] = field(init=False)
    """Text fields of variable length that follow the fixed part, in order."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tail", tuple(f.name for f in self.fields if f.tail))
        object.__setattr__(self, "done", self.done or self.program)
        object.__setattr__(self, "many", self.many or f"{self.program} events")

    def __contains__(self, name: str) -> bool:
        return any(f.name == name for f in self.fields)

    def __getitem__(self, name: str) -> Field:
        """The field called *name*, which there is."""
        return next(f for f in self.fields if f.name == name)


def layout(*own: tuple[str, str]) -> np.dtype[np.void]:
    """The fixed part of a record: what all programs tell of an event, then a program's *own*, then ``late``."""
    return np.dtype(
        [
            ("ts", "<u8"),  # ktime_get_ns (CLOCK_MONOTONIC)
            ("seq", "<u8"),  # emit attempts of this program on this CPU before this one
            ("cgroup", "<u8"),
            ("cpu", "<u4"),
            ("pid", "<u4"),  # thread group
            ("tid", "<u4"),
            ("ppid", "<u4"),
            ("uid", "<u4"),
            ("tail", "<u4"),  # 0 in the kernel; readers put the offset of this event's text in Batch.tails here
            ("comm", "S16"),
            *own,
            ("late", "<u4"),  # 0 in the kernel; see bpf/collector/order.py
        ]
    )


COMMON = (
    Field("time", "time", "wall-clock time of the event", Column("TIME", 8, 12, rank=1), stored="ts"),
    Field("ts_ns", "int", "kernel monotonic clock, ns", Column("TS_NS", 15, 18, right=True, tone="dim"), stored="ts"),
    Field("cpu", "int", "CPU it happened on", Column("CPU", 3, 3, rank=6, right=True, tone="dim")),
    Field(
        "seq",
        "int",
        "number among this program's events on this CPU; a hole is a lost event",
        Column("SEQ", 7, 10, right=True, tone="dim"),
    ),
    Field(
        "pid",
        "int",
        "process (thread group) id, as seen from the host",
        Column("PID", 7, 7, rank=2, right=True),
        unknown=UNKNOWN,
    ),
    Field("tid", "int", "thread id", Column("TID", 7, 7, rank=7, right=True, tone="dim"), unknown=UNKNOWN),
    Field("ppid", "int", "parent's process id", Column("PPID", 7, 7, rank=5, right=True, tone="dim"), unknown=UNKNOWN),
    Field("uid", "int", "real user id", Column("UID", 5, 6, rank=7, right=True, tone="dim"), unknown=UNKNOWN),
    Field("cgroup", "int", "cgroup v2 id", Column("CGROUP", 8, 12, right=True, tone="dim"), unknown=0),
    Field("comm", "comm", "the thread's name", Column("COMM", 8, 15, rank=2)),
    Field(
        "late",
        "bool",
        "arrived too late for its place in time: events stamped later were shown before it",
        Column("LATE", 6, 6, right=True, tone="mid"),
    ),
)
"""Fields that every program's events have."""
JSON_FIRST = ("time", "ts_ns", "cpu", "seq", "pid", "tid", "ppid", "uid", "cgroup", "comm")
"""The first fields of every program's JSON."""

CPU = LineColumn("CPU", "{cpu}", 3, right=True)
PID = LineColumn("PID", "{pid}", 7, right=True)
PPID = LineColumn("PPID", "{ppid}", 7, right=True)
UID = LineColumn("UID", "{uid}", 5, right=True)
COMM = LineColumn("COMM", "{comm}", 15, cut=True)
RET = LineColumn("RET", "{ret}", 8, marked=True)
