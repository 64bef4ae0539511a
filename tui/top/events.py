"""One batch as the folds see it: values that several folds need are computed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.event.batch import Batch, extent
from ringtop.bpf.event.names import Group
from ringtop.tui.top.commands import Commands, Kinds, Lines
from ringtop.tui.top.hashing import Hasher, Hashes, Sums, hashes
from ringtop.tui.top.names import Comms
from ringtop.tui.top.search import Judged
from ringtop.tui.top.slots import SECOND
from ringtop.tui.top.text import Places, Text
from ringtop.tui.top.values import Values

_LATEST = np.uint64(np.iinfo(np.int64).max)


@dataclass(frozen=True, slots=True)
class Known:
    """Lookups, shared by all batches, that add to the fields of events."""

    hasher: Hasher
    comms: Comms
    commands: Commands


class Events:
    """The events of *batch*, which is not empty."""

    def __init__(self, batch: Batch, known: Known) -> None:
        self.batch, self.known = batch, known
        self.rows = batch.rows
        self.judged: Judged | None = None
        """What became of the execs; set before any other attribute is read. None for other programs."""
        self.ts = np.minimum(self.rows["ts"], _LATEST).astype(np.int64)
        first, last = int(self.ts.min()) // SECOND, int(self.ts.max()) // SECOND
        same = first == last  # as in most batches; the array then has stride 0
        self.seconds = np.broadcast_to(np.int64(first), self.ts.shape) if same else self.ts // SECOND
        self.sums: dict[str, Sums] = {}
        """Hash sums of parts of keys, by the part's name."""
        self.names: dict[str, NDArray[np.bytes_]] = {}
        """Values of parts that are names, by the part's name."""

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def text(self) -> Text:
        """The text of all events."""
        return Text(self.batch.tails)

    @cached_property
    def kinds(self) -> Kinds:
        """The keys of their command lines; only for execs."""
        (file, file_size), (args, args_size) = self.extent("filename"), self.extent("argv")
        return self.known.commands.kinds(Lines(self.text, file, file + file_size, args, args + args_size))

    @cached_property
    def groups(self) -> tuple[list[Group], NDArray[np.intp]]:
        """The control groups that they have, each once, and for each event its position among them, shape (n,)."""
        return self.batch.names.groups(self.rows)

    @cached_property
    def now_ns(self) -> int:
        """The time of the newest event, ns."""
        return int(self.ts.max())

    @cached_property
    def values(self) -> Values:
        """The values that are added up for each row."""
        schema, rows, judged = self.batch.schema, self.rows, self.judged
        failed, searched = None, None
        if judged is not None:
            failed, searched = judged.failed, judged.searched
        elif schema.outcome is not None:
            failed = schema.outcome.failed(rows[schema.outcome.part])
        return Values(
            self.batch.program,
            failed,
            searched,
            self._durations(schema.waits),
            rows["preempted"] != 0 if "preempted" in schema else None,
            self._durations(schema.runs),
        )

    def _durations(self, name: str) -> NDArray[np.int64] | None:
        return np.maximum(self.rows[name].astype(np.int64), 0) if name else None

    @cached_property
    def cut(self) -> NDArray[np.bool_]:
        """Which events have a text that was cut, shape (n,)."""
        names = {field.cut for field in self.batch.schema.fields if field.cut}
        found = np.zeros(len(self.rows), np.bool_)
        for name in names:
            found |= self.rows[self.batch.schema[name].part] != 0
        return found

    def extent(self, name: str) -> tuple[Places, Places]:
        """Where a text field begins, and its size. Extents outside the text (in a damaged recording) are cut."""
        end = len(self.batch.tails)
        before, size = extent(self.batch.schema, self.rows, name)
        start = np.minimum(self.rows["tail"] + before, end)
        return start, np.minimum(size, end - start)

    def words(self, part: str, column: NDArray[np.generic]) -> Sums:
        """Hash sums of a column of fixed width, shape (n, 2)."""
        solid = np.ascontiguousarray(column)
        return self.known.hasher.words(part, solid.view(np.uint32).reshape(len(solid), -1))

    def processes(self, name: str) -> NDArray[np.uint64]:
        """The ids in the column *name* with the number of their host above: they are of one host only; shape (n,)."""
        found: NDArray[np.uint64] = self.rows["host"].astype(np.uint64) << np.uint64(32) | self.rows[name]
        return found

    def of_host(self, part: str, name: str) -> Sums:
        """Hash sums of such ids, shape (n, 2)."""
        own = self.words(part, self.rows[name])
        return own + self.words("host", self.rows["host"]) if self.rows["host"].any() else own

    def chains(self) -> tuple[Hashes, Hashes]:
        """For execs: hashes of the thread with the name that it searches for, and hashes of the whole file name."""
        start, size = self.extent("filename")
        begin = self.text.last(b"/", start, start + size) + 1
        hasher = self.known.hasher
        names = hasher.texts("file", self.text, begin, start + size - begin)
        files = hasher.texts("exe", self.text, start, size)
        return hashes(names + self.of_host("tid", "tid")), hashes(files)
