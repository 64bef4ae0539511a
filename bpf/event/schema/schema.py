"""The description of a program's events: the layout that its BPF program writes, and how they are shown.

A layout mirrors ``include/ringtop.h`` and the program's C source byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from ringtop.bpf.event.schema.field import UNKNOWN, Column, Field

if TYPE_CHECKING:
    import numpy as np

Layout = tuple[tuple[str, str], ...]
"""Name and NumPy type of each part of a row, in order."""


@dataclass(frozen=True, slots=True)
class LineColumn:
    """A column of the lines that ``ringtop trace`` prints for one program."""

    title: str
    text: str
    """A template of fields: ``{prev_comm}/{prev_pid}``."""
    width: int = 0
    right: bool = False
    cut: bool = False
    """Whether longer text is cut where lines have a width. Longer text of other columns takes room from the columns
    beside it."""
    marked: bool = False
    """Whether the column has the colour of ``Schema.mark``'s field."""


@dataclass(frozen=True, slots=True)
class Schema:
    """One program's events."""

    program: str
    about: str
    layout: Layout
    """The fixed part of a record, as the kernel writes it (little endian, a multiple of 8 bytes). ``x_len`` is the
    length of a text ``x``."""
    fields: tuple[Field, ...]
    """All fields."""
    mark: str
    """The field that shows whether the event is bad: whether it failed or took long."""
    columns: tuple[str, ...]
    """The fields that the program's table shows by default."""
    json: tuple[str, ...]
    """The fields that JSON and CSV contain, in this order."""
    line: tuple[LineColumn, ...]
    """The columns of a ``ringtop trace`` line when only this program is traced."""
    details: str
    """The end of a line when several programs are traced: a template of fields."""
    brief: tuple[str, ...]
    """The parts that describe an event in the list of a process's events: templates of one field each."""
    done: str = ""
    """The title of a top's column that counts events that did not fail: 'started'; by default the program's name."""
    many: str = ""
    """The name of many such events in a sentence: 'programs started'; by default the program's name and 'events'."""
    usual: bool = True
    """Whether it runs unless programs are named."""
    waits: str = ""
    """The ``duration`` that a top adds up as time waited."""
    runs: str = ""
    """The ``duration`` that a top adds up as time that processes ran."""
    keys: tuple[str, ...] = ("cpu", "uid", "unit", "container", "cgroup", "comm", "pid", "tid")
    """The keys that a top can fold the events by (``PARTS`` of tui/top/parts.py, joined by ``+``)."""
    key: str = "comm"
    """The key that a top begins with."""
    text_bytes: int = 0
    """Bytes of text that a row is expected to add to the history; with longer texts, fewer rows fit."""
    colour: str = "foreground"
    """The theme colour of the program's name, where the theme defines no colour for this program."""

    tail: tuple[str, ...] = field(init=False)
    """The texts of variable length that follow the fixed part, in the order of their lengths in it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tail", tuple(name[:-4] for name, _ in self.layout if name.endswith("_len")))
        object.__setattr__(self, "done", self.done or self.program)
        object.__setattr__(self, "many", self.many or f"{self.program} events")

    @property
    def dtype(self) -> np.dtype[np.void]:
        """The layout as NumPy's."""
        return _dtype(self.layout)

    @property
    def outcome(self) -> Field | None:
        """The field that tells whether the event is one of a failure; None where there is none."""
        return next((f for f in self.fields if f.kind in ("result", "status")), None)

    def parts(self, name: str) -> tuple[str, ...]:
        """Return the neighbouring parts of the tail that the text *name* is made of; empty where it is elsewhere."""
        return (name,) if name in self.tail else self[name].joins

    def __contains__(self, name: str) -> bool:
        return any(f.name == name for f in self.fields)

    def __getitem__(self, name: str) -> Field:
        """Return the field called *name*, which must exist."""
        return next(f for f in self.fields if f.name == name)


@cache
def _dtype(layout: Layout) -> np.dtype[np.void]:
    import numpy as np  # large, and not needed to start a collector

    return np.dtype(list(layout))


def layout(*own: tuple[str, str]) -> Layout:
    """Return the fixed part of a record: the fields of all programs, then the program's *own*, then ``late``."""
    return (
        ("ts", "<u8"),  # ktime_get_ns (CLOCK_MONOTONIC)
        ("seq", "<u8"),  # emit attempts of this program on this CPU before this one
        ("cgroup", "<u8"),
        ("start_ns", "<u8"),  # start_time of the process's first thread (CLOCK_MONOTONIC)
        ("cpu", "<u4"),
        ("pid", "<u4"),  # thread group
        ("tid", "<u4"),
        ("ppid", "<u4"),
        ("uid", "<u4"),
        ("tail", "<u4"),  # 0 in the kernel; readers put the offset of this event's text in Batch.tails here
        ("origin_pid", "<u4"),
        ("host", "<u4"),  # 0 in the kernel; who reads several hosts numbers them here
        ("comm", "S16"),
        ("parent", "S16"),
        ("origin", "S16"),
        *own,
        ("late", "<u4"),  # 0 in the kernel; see bpf/collector/order.py
    )


COMMON = (
    Field("time", "time", "wall-clock time of the event", Column("TIME", 8, 12, rank=1), stored="ts"),
    Field("ts_ns", "int", "kernel monotonic clock, ns", Column("TS_NS", 15, 18, right=True, tone="dim"), stored="ts"),
    Field("host", "name", "host, where several are watched", Column("HOST", 8, 14, rank=1)),
    Field("cpu", "int", "CPU of the event", Column("CPU", 3, 3, rank=6, right=True, tone="dim")),
    Field(
        "seq",
        "int",
        "number of the event on its CPU; a missing number is a lost event",
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
    Field(
        "ppid", "int", "process id of the parent", Column("PPID", 7, 7, rank=5, right=True, tone="dim"), unknown=UNKNOWN
    ),
    Field("uid", "int", "real user id", Column("UID", 5, 6, rank=7, right=True, tone="dim"), unknown=UNKNOWN),
    Field("cgroup", "int", "id of the control group", Column("CGROUP", 8, 12, right=True, tone="dim"), unknown=0),
    Field("cgroup_path", "name", "path of the control group", Column("CGROUP PATH", 12, 30, weight=2, rank=5)),
    Field("unit", "name", "systemd unit", Column("UNIT", 10, 20, weight=1, rank=5)),
    Field(
        "container", "name", "container: its name, or else its short id", Column("CONTAINER", 10, 14, weight=1, rank=5)
    ),
    Field("comm", "comm", "the thread's name", Column("COMM", 8, 15, rank=2)),
    Field("parent", "comm", "name of the parent", Column("PARENT", 8, 15, rank=5)),
    Field("origin", "comm", "name of the process that forked this one, then", Column("ORIGIN", 8, 15, rank=5)),
    Field(
        "origin_pid",
        "int",
        "process that forked this one; it may have ended since",
        Column("FORKED BY", 9, 9, rank=5, right=True, tone="dim"),
        unknown=0,
    ),
    Field(
        "start_ns",
        "int",
        "when the process started, by the kernel's monotonic clock: it tells processes that had one id apart",
        Column("START_NS", 15, 18, right=True, tone="dim"),
        unknown=0,
    ),
    Field(
        "late",
        "bool",
        "arrived late: events with later time stamps were shown before it",
        Column("LATE", 6, 6, right=True, tone="mid"),
    ),
)
"""The fields that the events of every program have."""
JSON_FIRST = (
    "time",
    "ts_ns",
    "cpu",
    "seq",
    "pid",
    "tid",
    "ppid",
    "uid",
    "cgroup",
    "cgroup_path",
    "unit",
    "container",
    "comm",
    "parent",
    "origin",
    "origin_pid",
    "start_ns",
)
"""The first fields of every program's JSON."""

AGE = Field(
    "age",
    "duration",
    "time since the fork of the process",
    Column("AGE", 7, 8, right=True, tone="dim"),
    unknown=0,
)
CPU = LineColumn("CPU", "{cpu}", 3, right=True)
PID = LineColumn("PID", "{pid}", 7, right=True)
PPID = LineColumn("PPID", "{ppid}", 7, right=True)
UID = LineColumn("UID", "{uid}", 5, right=True)
COMM = LineColumn("COMM", "{comm}", 15, cut=True)
RET = LineColumn("RET", "{ret}", 8, marked=True)
