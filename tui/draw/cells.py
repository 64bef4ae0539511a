"""The text of one field of one event, and what its colour means. All that comes from the kernel is made safe here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Literal

from ringtop.bpf.event.args import split_args
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import AT_FDCWD, OPS, Field
from ringtop.tui.text import format, text
from ringtop.tui.text.shell import shell_line

Tone = Literal["", "dim", "failed", "low", "mid", "high", "late"]
"""What a cell's colour says: nothing, less important, failed, how long a wait was, and that the event came late."""

MID_NS = 30_000_000
HIGH_NS = 100_000_000
"""Waits from here on stand out."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Safe text and its tone."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Clock:
    """How times are shown."""

    mode: str = "clock"
    """``clock``: wall clock; ``relative``: age; ``uptime``: the kernel's own clock."""
    offset_ns: int = 0
    """From the kernel's clock to the wall clock."""
    now_ns: int = 0
    """The kernel's clock, now."""
    zone: tzinfo | None = None
    """None: the local one."""

    def show(self, ts: int, width: int = 12) -> str:
        """The time *ts* of the kernel's clock, with as much of the second as *width* allows."""
        if self.mode == "relative":
            return format.age(self.now_ns - ts)
        if self.mode == "uptime":
            return f"{ts / 1e9:.{max(0, min(6, width - 7))}f}"
        return format.clock(ts + self.offset_ns, self.zone, 9 if width >= 18 else 3 if width >= 12 else 0)


def column(batch: Batch, field: Field, clock: Clock, width: int = 12) -> list[Cell]:
    """The cells of *field* for all rows of *batch*."""
    name = field.name
    match field.kind:
        case "time":
            stamps = zip(batch.rows[field.column or name].tolist(), batch.rows["late"].tolist(), strict=True)
            return [Cell(clock.show(ts, width), "late" if late else "dim") for ts, late in stamps]
        case "duration":
            return [Cell(format.duration(ns), _wait(ns)) for ns in batch.rows[name].tolist()]
        case "path" if name == "path":
            paths = zip(batch.text(name), batch.rows["truncated"].tolist(), strict=True)
            return [Cell(text.visible(raw) + (text.cut_mark() if cut else "")) for raw, cut in paths]
        case "comm" | "path":
            return [Cell(text.visible(raw)) for raw in batch.text(name)]
        case "args":
            counts, cuts = batch.rows["argc"].tolist(), batch.rows["truncated"].tolist()
            lines = zip(batch.text(name), counts, cuts, strict=True)
            return [Cell(shell_line(split_args(raw, argc), bool(cut))) for raw, argc, cut in lines]
        case "op":
            return [Cell(operation(op), "dim") for op in batch.rows[name].tolist()]
        case "bool":
            return [_flag(name, bool(value)) for value in batch.rows[name].tolist()]
        case _:
            return [_number(field, value) for value in batch.rows[field.column or name].tolist()]


def cells(batch: Batch, fields: Sequence[tuple[Field, int]], clock: Clock) -> list[list[Cell]]:
    """Row by row, the cells of *fields* (each with the width it will get)."""
    columns = [column(batch, field, clock, width) for field, width in fields]
    return [list(row) for row in zip(*columns, strict=True)]


def operation(op: int) -> str:
    """What was done to a file."""
    return OPS[op] if op < len(OPS) else str(op)


def _wait(ns: int) -> Tone:
    return "high" if ns >= HIGH_NS else "mid" if ns >= MID_NS else "low"


def _flag(name: str, value: bool) -> Cell:
    if name == "preempted":
        return Cell("preempted" if value else "woken", "" if value else "dim")
    return Cell("yes" if value else "no", "mid" if value else "dim")


def _number(field: Field, value: int) -> Cell:
    name = field.name
    if name == "ret":
        return Cell(format.result(value), "failed" if value < 0 else "dim")
    if name == "dfd" and value == AT_FDCWD:
        return Cell("cwd", "dim")
    if value == field.unknown:
        return Cell(format.UNKNOWN_TEXT, "dim")
    quiet = name in ("cpu", "tid", "ppid", "uid", "prev_pid", "prev_tid", "seq", "ts_ns", "cgroup")
    return Cell(str(value), "dim" if quiet else "")
