"""Events as an aligned table for people. A program that is traced alone has its own columns."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import AT_FDCWD, SCHEMAS, Field, LineColumn, Tone
from ringtop.bpf.event.schema.schema import COMM, CPU, PID
from ringtop.tui.draw.cells import mark
from ringtop.tui.draw.columns import rooms
from ringtop.tui.lines.values import wall_ns
from ringtop.tui.text import format
from ringtop.tui.text.shell import shell_line
from ringtop.tui.text.text import clip, cut_mark, visible, width

_DIM, _BOLD, _RED, _YELLOW, _CYAN = "2", "1", "31", "33", "36"
_TONES = {"failed": _RED, "high": _RED, "mid": _YELLOW}
"""The SGR codes for the tones that mark an event."""
_LEAST = 20
"""The width in cells of the last column on the narrowest terminal."""
_TIME_WIDTH = 12
_NAME = re.compile(r"{(\w+)}")
"""Matches a field in a template."""
_PROGRAM = LineColumn("PROGRAM", "", 11)
_HOST = LineColumn("HOST", "{host}", 12)
_DETAILS = LineColumn("DETAILS", "", marked=True)
_MIXED = (_PROGRAM, CPU, PID, COMM, _DETAILS)
"""The columns after the time when several programs are traced."""


def _texts(template: str, batch: Batch) -> list[str]:
    """*template* filled in for each row, as safe text."""
    values = [_values(batch, batch.schema[name]) for name in _NAME.findall(template)]
    form = _NAME.sub("{}", template)
    return values[0] if form == "{}" else list(map(form.format, *values))


def _values(batch: Batch, field: Field) -> list[str]:
    """The values of *field* as they stand in a line."""
    if field.kind in ("comm", "name"):
        return list(map(visible, batch.text(field.name)))
    if field.kind == "path":
        where = batch.rows[field.base].tolist() if field.base else [AT_FDCWD] * len(batch)
        return list(map(_path, batch.text(field.name), where, batch.cut(field.name)))
    if field.kind == "args":
        files = batch.text(field.file) if field.file else [b""] * len(batch)
        return list(map(_command, files, batch.args(field.name), _marks(batch), batch.cut(field.name)))
    numbers = batch.rows[field.part].tolist()
    match field.kind:
        case "duration":
            return [format.UNKNOWN_TEXT if ns == field.unknown else f"{ns / 1e6:.3f} ms" for ns in numbers]
        case "bool":
            return [field.words[bool(n)] if field.words else str(bool(n)).lower() for n in numbers]
        case "enum" | "result" | "status":
            return list(map(field.word, numbers))
        case _:
            return [format.UNKNOWN_TEXT if n == field.unknown else str(n) for n in numbers]


def _command(filename: bytes, args: list[bytes], marked: Tone, cut: bool) -> str:
    """The arguments, preceded by the file name when they do not contain it."""
    line = shell_line(args, cut)
    if not args:
        return f"{visible(filename)} {line}".rstrip()
    name = filename.rpartition(b"/")[2]
    told = filename in args if marked == "failed" else any(a.rpartition(b"/")[2] == name for a in args[:3])
    return ("" if told or not filename else f"{visible(filename)} as ") + line


def _path(path: bytes, dirfd: int, cut: bool) -> str:
    """The path. A relative path follows its directory's file descriptor, unless that is the working directory."""
    where = "" if dirfd == AT_FDCWD or path.startswith(b"/") else f"(fd {dirfd}) "
    return where + visible(path) + (cut_mark if cut else "")


def _marks(batch: Batch) -> list[Tone]:
    """The tone that marks each row, from the field by which its program is marked."""
    field = batch.schema[batch.schema.mark]
    return [mark(field, value) for value in batch.rows[field.part].tolist()]


class TableLines:
    """Writes events of *programs* as a table; a ``LineWriter``. Long text is cut only when a *width* is given."""

    def __init__(
        self, programs: Sequence[str], colour: bool = False, width: int | None = None, hosts: bool = False
    ) -> None:
        """*hosts*: each line tells its host."""
        own = SCHEMAS[programs[0]].line if len(programs) == 1 else _MIXED
        self._columns = (_HOST, *own) if hosts else own
        self._colour = colour
        self._width = width
        self._seconds: dict[int, str] = {}

    def header(self) -> str:
        """The titles of the columns."""
        cells = ["TIME".ljust(_TIME_WIDTH)]
        cells += [_padded(c.title, c, c.width) for c in self._columns]
        line = " ".join(cells)
        return _coloured(line, _BOLD) if self._colour else line

    def lines(self, batch: Batch, wall_offset_ns: int) -> list[str]:
        """One line for each row of *batch*."""
        if not len(batch):
            return []
        *fixed, last = self._columns
        texts = [self._cells(column, batch) for column in fixed]
        rows = [self._fitted(row, fixed) for row in zip(*texts, strict=True)]
        cells = [self._times(batch, wall_offset_ns), *map(list, zip(*rows, strict=True))]
        details = self._cells(last, batch)
        if self._width is not None:
            taken = [sum(map(width, row)) + len(row) for row in zip(*cells, strict=True)]
            details = [clip(d, max(_LEAST, self._width - t)) for d, t in zip(details, taken, strict=True)]
        cells.append(details)
        if self._colour:
            cells[0] = [_coloured(text, _DIM) for text in cells[0]]
            tones = [_TONES.get(marked, "") for marked in _marks(batch)]
            for i, column in enumerate(self._columns, 1):
                if column is _PROGRAM:
                    cells[i] = [_coloured(text, _CYAN) for text in cells[i]]
                elif column.marked:
                    pairs = zip(cells[i], tones, strict=True)
                    cells[i] = [_coloured(text, tone) if tone else text for text, tone in pairs]
        return list(map(" ".join, zip(*cells, strict=True)))

    def _cells(self, column: LineColumn, batch: Batch) -> list[str]:
        if column is _PROGRAM:
            return [batch.program] * len(batch)
        return _texts(batch.schema.details if column is _DETAILS else column.text, batch)

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

    def _fitted(self, texts: Sequence[str], shown: Sequence[LineColumn]) -> list[str]:
        """The texts of a row, each with the room that it gets."""
        may_be_cut = [column.cut and self._width is not None for column in shown]
        sizes = rooms([column.width for column in shown], list(map(width, texts)), may_be_cut)
        cells = zip(texts, shown, sizes, may_be_cut, strict=True)
        return [_padded(clip(text, size) if cut else text, column, size) for text, column, size, cut in cells]


def _padded(text: str, column: LineColumn, size: int) -> str:
    space = " " * (size - width(text))
    return space + text if column.right else text + space


def _coloured(text: str, tone: str) -> str:
    return f"\x1b[{tone}m{text}\x1b[0m"
