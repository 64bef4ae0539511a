"""The columns a table can have, and how they share its width. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ringtop.bpf.event.schema import SCHEMAS, Field

SPACE = 1
"""Cells between columns."""


@dataclass(frozen=True, slots=True)
class Column:
    """How one field is shown."""

    name: str
    """The field's."""
    title: str
    least: int
    """Narrowest it is still of use, in cells."""
    width: int
    """What it needs to show everything that is usual."""
    weight: int = 0
    """Its share of the width that is left; 0: never wider than ``width``."""
    rank: int = 5
    """When the table gets narrow, columns of the highest rank go first."""
    right: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """A column and where it stands."""

    column: Column
    x: int
    width: int


_KNOWN = {
    "time": Column("time", "TIME", 8, 12, rank=1),
    "ts_ns": Column("ts_ns", "TS_NS", 15, 18, right=True),
    "cpu": Column("cpu", "CPU", 3, 3, rank=6, right=True),
    "seq": Column("seq", "SEQ", 7, 10, right=True),
    "pid": Column("pid", "PID", 7, 7, rank=2, right=True),
    "tid": Column("tid", "TID", 7, 7, rank=7, right=True),
    "ppid": Column("ppid", "PPID", 7, 7, rank=5, right=True),
    "uid": Column("uid", "UID", 5, 6, rank=7, right=True),
    "cgroup": Column("cgroup", "CGROUP", 8, 12, right=True),
    "comm": Column("comm", "COMM", 8, 15, rank=2),
    "latency": Column("latency", "LATENCY", 7, 8, rank=0, right=True),
    "prev_pid": Column("prev_pid", "PREV PID", 8, 8, rank=5, right=True),
    "prev_tid": Column("prev_tid", "PREV TID", 8, 8, right=True),
    "prev_comm": Column("prev_comm", "PREV COMM", 9, 15, weight=1, rank=4),
    "preempted": Column("preempted", "WAITED", 9, 9, rank=6),
    "ret": Column("ret", "RESULT", 6, 8, rank=3),
    "filename": Column("filename", "FILE", 12, 24, weight=2),
    "argv": Column("argv", "ARGUMENTS", 10, 26, weight=10, rank=0),
    "argc": Column("argc", "ARGC", 4, 4, right=True),
    "truncated": Column("truncated", "CUT", 3, 3),
    "op": Column("op", "OP", 6, 6, rank=6),
    "dfd": Column("dfd", "DFD", 5, 5, right=True),
    "path": Column("path", "PATH", 10, 26, weight=10, rank=0),
}

DEFAULTS = {
    "runqslower": ("time", "cpu", "comm", "pid", "tid", "latency", "preempted", "prev_pid", "prev_comm"),
    "execsnoop": ("time", "cpu", "comm", "pid", "ppid", "uid", "ret", "argv"),
    "unlinksnoop": ("time", "cpu", "comm", "pid", "uid", "op", "ret", "path"),
}
"""Columns of each table unless chosen otherwise."""


def column(field: Field) -> Column:
    """How *field* is shown; one that a later schema adds gets a plain column."""
    plain = Column(field.name, field.name.upper().replace("_", " "), 6, max(6, len(field.name)), right=True)
    return _KNOWN.get(field.name, plain)


def available(program: str) -> list[Column]:
    """All columns that *program* can show: those shown unless chosen otherwise, then the others."""
    schema = SCHEMAS[program]
    named = {f.name: column(f) for f in schema.fields}
    first = [named[n] for n in DEFAULTS.get(program, ()) if n in named]
    return first + [c for c in named.values() if c not in first]


def chosen(program: str, names: Sequence[str] = ()) -> list[Column]:
    """The columns *names* of *program*, in their order, unknown ones left out; the defaults when none is left."""
    named = {c.name: c for c in available(program)}
    picked = [named[n] for n in dict.fromkeys(names) if n in named]
    return picked or [named[n] for n in DEFAULTS.get(program, ()) if n in named]


def layout(columns: Sequence[Column], width: int) -> list[Placed]:
    """Those *columns* that fit into *width*, in order, each with its place.

    Too narrow: the columns of the highest rank go, the rightmost first. What is left over brings columns to their usual
    width, by rank, then goes to those with a weight; the heaviest takes what remains.
    """
    shown = list(columns)
    while len(shown) > 1 and sum(c.least for c in shown) + SPACE * (len(shown) - 1) > width:
        shown.remove(max(reversed(shown), key=lambda c: c.rank))
    if not shown:
        return []
    widths = {c.name: c.least for c in shown}
    spare = width - sum(widths.values()) - SPACE * (len(shown) - 1)
    for c in sorted(shown, key=lambda c: c.rank):
        more = min(max(0, spare), c.width - c.least)
        widths[c.name] += more
        spare -= more
    flexible = [c for c in shown if c.weight]
    total = sum(c.weight for c in flexible)
    for c in flexible:
        widths[c.name] += max(0, spare) * c.weight // total
    if flexible:
        last = max(flexible, key=lambda c: c.weight)
        used = sum(widths.values()) + SPACE * (len(shown) - 1)
        widths[last.name] += max(0, width - used)
    placed, x = [], 0
    for c in shown:
        placed.append(Placed(c, x, max(1, min(widths[c.name], width - x))))
        x += widths[c.name] + SPACE
    return placed
