"""The text and tone of the fields of events. All text from the kernel is made safe here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import AT_FDCWD, Field, Tone
from ringtop.tui.model.wall import Wall
from ringtop.tui.text import format, text
from ringtop.tui.text.shell import shell_line


@dataclass(frozen=True, slots=True)
class Cell:
    """Safe text, and the tone that decides its colour."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Clock:
    """The way times are shown."""

    mode: str = "clock"
    """``clock``: wall clock; ``relative``: age; ``uptime``: the kernel's own clock."""
    wall: Wall = field(default_factory=Wall)
    now_ns: int = 0
    """The present time of the kernel's clock."""
    zone: tzinfo | None = None
    """The time zone of the wall clock; None for the local one."""

    def show(self, ts: int, width: int = 12) -> str:
        """The time *ts* (kernel's clock, ns), with as many decimals of the second as *width* cells allow."""
        if self.mode == "relative":
            return format.age(self.now_ns - ts)
        if self.mode == "uptime":
            return f"{ts / 1e9:.{max(0, min(6, width - 7))}f}"
        return format.clock(self.wall.ns(ts), self.zone, 9 if width >= 18 else 3 if width >= 12 else 0)


def column(batch: Batch, field: Field, clock: Clock, width: int = 12) -> list[Cell]:
    """The cells of *field* for all rows of *batch*."""
    name = field.name
    match field.kind:
        case "time":
            stamps = zip(batch.rows[field.part].tolist(), batch.rows["late"].tolist(), strict=True)
            return [Cell(clock.show(ts, width), "late" if late else "dim") for ts, late in stamps]
        case "duration":
            return [_duration(field, ns) for ns in batch.rows[name].tolist()]
        case "comm" | "name" | "path":
            texts = zip(batch.text(name), batch.cut(name), strict=True)
            return [Cell(text.visible(raw) + (text.cut_mark if cut else "")) for raw, cut in texts]
        case "args":
            return [Cell(shell_line(args, cut)) for args, cut in zip(batch.args(name), batch.cut(name), strict=True)]
        case "enum":
            return [Cell(field.word(value), "dim") for value in batch.rows[name].tolist()]
        case "bool":
            return [_flag(field, bool(value)) for value in batch.rows[name].tolist()]
        case "result" | "status":
            return [Cell(field.word(value), mark(field, value) or "dim") for value in batch.rows[name].tolist()]
        case "dirfd":
            return [Cell("cwd", "dim") if fd == AT_FDCWD else Cell(str(fd)) for fd in batch.rows[name].tolist()]
        case _:
            return [_number(field, value) for value in batch.rows[field.part].tolist()]


def cells(batch: Batch, fields: Sequence[tuple[Field, int]], clock: Clock) -> list[list[Cell]]:
    """The cells of *fields* row by row; each field comes with the width of its column."""
    columns = [column(batch, field, clock, width) for field, width in fields]
    return [list(row) for row in zip(*columns, strict=True)]


def mark(field: Field, value: int) -> Tone:
    """The tone that *value* of *field* gives the event: whether it failed, or how long a wait was."""
    if field.kind in ("result", "status"):
        return "failed" if field.failed(value) else ""
    if field.levels is None:
        return field.column.tone
    mid, high = field.levels
    return "high" if value >= high else "mid" if value >= mid else "low"


def _duration(field: Field, ns: int) -> Cell:
    if ns == field.unknown:
        return Cell(format.UNKNOWN_TEXT, "dim")
    return Cell(format.duration(ns), mark(field, ns))


def _flag(field: Field, value: bool) -> Cell:
    no, yes = field.words or ("no", "yes")
    return Cell(yes, field.column.tone) if value else Cell(no, "dim")


def _number(field: Field, value: int) -> Cell:
    if value == field.unknown:
        return Cell(format.UNKNOWN_TEXT, "dim")
    return Cell(str(value), field.column.tone)
