"""Events as an aligned table for people, with columns of its own when only one program is traced."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ringtop.bpf.event.args import split_args
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import AT_FDCWD
from ringtop.tui.draw.cells import HIGH_NS, MID_NS, operation
from ringtop.tui.lines.values import wall_ns
from ringtop.tui.text import format
from ringtop.tui.text.shell import shell_line
from ringtop.tui.text.text import clip, cut_mark, visible, width

_DIM, _BOLD, _RED, _YELLOW, _CYAN = "2", "1", "31", "33", "36"
_LEAST = 20
"""Cells that details get on the narrowest terminal."""

Texts = Callable[[Batch], list[str]]
Tones = Callable[[Batch], list[str]]


def _plain(batch: Batch) -> list[str]:
    return [""] * len(batch)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: title, cells, side, safe texts, and SGR codes (empty: none) of a batch's rows."""

    title: str
    width: int
    texts: Texts
    right: bool = False
    tones: Tones = _plain
    cut: bool = False
    """Cut to its width where lines have one; others push what follows to the right."""


def _number(name: str) -> Texts:
    def texts(batch: Batch) -> list[str]:
        unknown = batch.schema[name].unknown
        return [format.UNKNOWN_TEXT if n == unknown else str(n) for n in batch.rows[name].tolist()]

    return texts


def _comm(name: str) -> Texts:
    return lambda batch: list(map(visible, batch.text(name)))


def _always(tone: str) -> Tones:
    return lambda batch: [tone] * len(batch)


def _results(batch: Batch) -> list[str]:
    return [_result(ret) for ret in batch.rows["ret"].tolist()]


def _result(ret: int) -> str:
    return f"-{errno.errorcode[-ret]}" if -ret in errno.errorcode else str(ret)


def _failures(batch: Batch) -> list[str]:
    return [_RED if ret < 0 else "" for ret in batch.rows["ret"].tolist()]


def _ops(batch: Batch) -> list[str]:
    return list(map(operation, batch.rows["op"].tolist()))


def _latencies(batch: Batch) -> list[str]:
    return [f"{ns / 1e6:.3f} ms" for ns in batch.rows["latency"].tolist()]


def _waits(batch: Batch) -> list[str]:
    latencies = batch.rows["latency"].tolist()
    return [_RED if ns >= HIGH_NS else _YELLOW if ns >= MID_NS else "" for ns in latencies]


def _causes(batch: Batch) -> list[str]:
    return ["preempted" if preempted else "woken" for preempted in batch.rows["preempted"].tolist()]


def _before(batch: Batch) -> list[str]:
    pairs = zip(_comm("prev_comm")(batch), _number("prev_pid")(batch), strict=True)
    return [f"{comm}/{pid}" for comm, pid in pairs]


def _commands(batch: Batch) -> list[str]:
    rows = batch.rows
    values = zip(
        batch.text("filename"),
        map(split_args, batch.text("argv"), rows["argc"].tolist()),
        rows["ret"].tolist(),
        rows["truncated"].tolist(),
        strict=True,
    )
    return [_command(*v) for v in values]


def _command(filename: bytes, args: list[bytes], ret: int, truncated: int) -> str:
    """The arguments, and before them the file when they do not name it."""
    line = shell_line(args, bool(truncated))
    if not args:
        return f"{visible(filename)} {line}".rstrip()
    name = filename.rpartition(b"/")[2]
    told = filename in args if ret < 0 else any(a.rpartition(b"/")[2] == name for a in args[:3])
    return ("" if told or not filename else f"{visible(filename)} as ") + line


def _paths(batch: Batch) -> list[str]:
    rows = batch.rows
    values = zip(batch.text("path"), rows["dfd"].tolist(), rows["truncated"].tolist(), strict=True)
    return [_path(*v) for v in values]


def _path(path: bytes, dfd: int, truncated: int) -> str:
    """The path; a relative one with the directory it starts from, unless that is the working directory."""
    where = "" if dfd == AT_FDCWD or path.startswith(b"/") else f"(fd {dfd}) "
    return where + visible(path) + (cut_mark() if truncated else "")


def _details(batch: Batch) -> list[str]:
    match batch.program:
        case "runqslower":
            parts = zip(_latencies(batch), _before(batch), _causes(batch), strict=True)
            return [f"{latency} after {before} ({cause})" for latency, before, cause in parts]
        case "execsnoop":
            return [f"{ret} {line}" for ret, line in zip(_results(batch), _commands(batch), strict=True)]
        case _:
            parts = zip(_results(batch), _ops(batch), _paths(batch), strict=True)
            return [f"{ret} {op} {path}" for ret, op, path in parts]


def _detail_tones(batch: Batch) -> list[str]:
    return _waits(batch) if batch.program == "runqslower" else _failures(batch)


_CPU = Column("CPU", 3, _number("cpu"), right=True)
_PID = Column("PID", 7, _number("pid"), right=True)
_PPID = Column("PPID", 7, _number("ppid"), right=True)
_UID = Column("UID", 5, _number("uid"), right=True)
_COMM = Column("COMM", 15, _comm("comm"), cut=True)
_RET = Column("RET", 8, _results, tones=_failures)
_MIXED = (
    Column("PROGRAM", 11, lambda batch: [batch.program] * len(batch), tones=_always(_CYAN)),
    _CPU,
    _PID,
    _COMM,
    Column("DETAILS", 0, _details, tones=_detail_tones),
)
_OWN: dict[str, tuple[Column, ...]] = {
    "runqslower": (
        _CPU,
        _PID,
        _COMM,
        Column("LATENCY", 12, _latencies, right=True, tones=_waits),
        Column("WAITED", 9, _causes),
        Column("AFTER", 0, _before),
    ),
    "execsnoop": (_PID, _PPID, _UID, _COMM, _RET, Column("ARGUMENTS", 0, _commands, tones=_failures)),
    "unlinksnoop": (_PID, _UID, _COMM, Column("OP", 6, _ops), _RET, Column("PATH", 0, _paths, tones=_failures)),
}
_TIME_WIDTH = 12


class TableLines:
    """LineWriter for events of *programs*; with a *width*, what is too long is cut, else nothing ever is."""

    def __init__(self, programs: Sequence[str], colour: bool = False, width: int | None = None) -> None:
        self._columns = _OWN[programs[0]] if len(programs) == 1 else _MIXED
        self._colour = colour
        self._width = width
        self._seconds: dict[int, str] = {}

    def header(self) -> str:
        """The titles of the columns."""
        cells = ["TIME".ljust(_TIME_WIDTH)]
        cells += [_padded(c.title, c) for c in self._columns]
        line = " ".join(cells)
        return _coloured(line, _BOLD) if self._colour else line

    def lines(self, batch: Batch, wall_offset_ns: int) -> list[str]:
        """One line for each row."""
        *fixed, last = self._columns
        cells = [self._times(batch, wall_offset_ns), *(self._fixed(column, batch) for column in fixed)]
        details = last.texts(batch)
        if self._width is not None:
            taken = [sum(map(width, row)) + len(row) for row in zip(*cells, strict=True)]
            details = [clip(d, max(_LEAST, self._width - t)) for d, t in zip(details, taken, strict=True)]
        cells.append(details)
        if self._colour:
            cells[0] = [_coloured(text, _DIM) for text in cells[0]]
            for i, column in enumerate(self._columns, 1):
                pairs = zip(cells[i], column.tones(batch), strict=True)
                cells[i] = [_coloured(text, tone) if tone else text for text, tone in pairs]
        return list(map(" ".join, zip(*cells, strict=True)))

    def _times(self, batch: Batch, wall_offset_ns: int) -> list[str]:
        millis = wall_ns(batch, wall_offset_ns) // 1_000_000
        return [f"{self._second(ms // 1000)}.{ms % 1000:03}" for ms in millis.tolist()]

    def _second(self, second: int) -> str:
        text = self._seconds.get(second)
        if text is None:
            if len(self._seconds) >= 600:
                self._seconds.clear()
            text = self._seconds[second] = time.strftime("%H:%M:%S", time.localtime(second))
        return text

    def _fixed(self, column: Column, batch: Batch) -> list[str]:
        texts = column.texts(batch)
        if self._width is not None and column.cut:
            texts = [clip(text, column.width) for text in texts]
        return [_padded(text, column) for text in texts]


def _padded(text: str, column: Column) -> str:
    space = " " * (column.width - width(text))
    return space + text if column.right else text + space


def _coloured(text: str, tone: str) -> str:
    return f"\x1b[{tone}m{text}\x1b[0m"
