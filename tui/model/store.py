"""The history: the newest events of every program within a stated amount of memory, oldest evicted and counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf import stream
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.model.gaps import SequenceCheck
from ringtop.tui.model.notes import Note
from ringtop.tui.model.ring import Ring, row_bytes

DEFAULT_BYTES = 64 << 20
"""History of all tables together."""
LOOK = 1 << 16
"""Newest rows among which the place of a change is looked for; more do not come while it is made."""
MOST_NOTES = 16
"""Kept at one row, and of those whose place is not known yet: a hostile recording may have any number."""
AT_WORK_NS = 1_000_000_000
"""An event stamped longer than this before a change was not still at work then; its number may be an earlier
collector's."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: a batch of one row, and its number in its table."""

    number: int
    batch: Batch

    @property
    def program(self) -> str:
        """The program it came from."""
        return self.batch.program


class Table:
    """One program's history."""

    def __init__(self, program: str, budget: int) -> None:
        self.program = program
        self.budget = budget
        self.ring = Ring(program, budget)
        self.received = 0
        """Events that arrived."""
        self.unkept = 0
        """Of those, never kept: skipped, or no room while rows on screen were held."""
        self.floor: int | None = None
        """While rows are frozen on screen: the first row that must stay."""
        self.marks: dict[int, list[Note]] = {}
        """Notes that stand before a row: a restart, a switch of transport."""
        self.placed: list[int] = []
        """Rows that were there when they got a note that belongs before them, in the order of the notes."""
        self._due: list[stream.Changed] = []
        self._sequence = SequenceCheck()
        self._carried = 0
        self._held = 0

    @property
    def first(self) -> int:
        """Number of the oldest row kept."""
        return self.ring.first

    @property
    def end(self) -> int:
        """Number of the next row."""
        return self.ring.end

    @property
    def evicted(self) -> int:
        """Rows that were kept once and have given way."""
        return self.ring.first

    @property
    def at_end(self) -> list[Note]:
        """Notes behind the last row: those of what comes next, and changes by whose new way nothing came yet."""
        return [*self.marks.get(self.end, []), *self._due]

    def __len__(self) -> int:
        return len(self.ring)

    def append(self, batch: Batch) -> None:
        """Take what arrived."""
        lost = self._sequence.missing(batch)
        self.received += len(batch)
        if self._carried and len(lost):
            lost[0] = min(int(lost[0]) + self._carried, int(np.iinfo(np.uint32).max))
            self._carried = 0
        start = self.end
        kept = self.ring.append(batch, lost, self.floor)
        if kept and self._held:
            self._note(start, f"{self._held:,} not kept: they came while older rows were held")
            self._held = 0
        if kept < len(batch):
            self.unkept += len(batch) - kept
            self._held += len(batch) - kept
        if self._due:
            self._place(start)
        for row in [r for r in self.marks if r < self.first]:
            del self.marks[row]
        # Holes among what was not kept are told at the next row that is.
        self._carried += int(lost[kept:].sum(dtype=np.int64))

    def skip(self, count: int) -> None:
        """Note that *count* events arrived and were let go unseen; the next ones open no gap."""
        self.received += count
        self.unkept += count
        self._sequence.reset()
        self.mark(f"{count:,} not kept: they came faster than the viewer took them")

    def restart(self) -> None:
        """A new collector numbers its events anew."""
        self._sequence.reset()
        # Numbers of the old one say nothing of what the new one sends.
        for change in self._due:
            self._note(self.end, change)
        self._due = []
        if self.received:
            self.mark("collector restarted")

    def mark(self, note: Note) -> None:
        """Put a note before the next row; that of a change before the first row that came by the new way."""
        if isinstance(note, stream.Changed):
            self._due = [*self._due[1 - MOST_NOTES :], note]
            self._place(self.end - LOOK)
        else:
            self._note(self.end, note)

    def _note(self, row: int, note: Note) -> None:
        self.marks[row] = [*self.marks.get(row, [])[1 - MOST_NOTES :], note]

    def _place(self, start: int) -> None:
        """Put the changes where they belong among the rows from *start* on; those that belong later wait."""
        start = max(start, self.first)
        ts, cpu, seq = (self.ring.column(name, start, self.end).astype(np.int64) for name in ("ts", "cpu", "seq"))
        waiting = []
        for change in self._due:
            after = np.flatnonzero(_after(change, ts, cpu, seq))
            if len(after):
                row = start + int(after[0])
                self._note(row, change)
                self.placed.append(row)
            else:
                waiting.append(change)
        self._due = waiting

    def event(self, number: int) -> Event | None:
        """The row *number*, if it is still kept."""
        if not self.first <= number < self.end:
            return None
        return Event(number, self.ring.take(np.array([number], np.int64)))

    def find(self, name: str, value: int) -> NDArray[np.int64]:
        """Numbers of the rows whose integer column *name* is *value*."""
        return np.flatnonzero(self.ring.column(name, self.first, self.end) == value) + self.first

    def recent(self, name: str, count: int = 20, look: int = 2000) -> list[int] | list[bytes]:
        """The last *count* different values of a column or text field among the newest *look* rows, newest first."""
        tail = self.ring.slice(self.end - look, self.end)
        schema = self.ring.schema
        values = tail.text(name) if name in schema.tail else tail.rows[name].tolist()
        return list(dict.fromkeys(reversed(values)))[:count]


def _after(
    change: stream.Changed, ts: NDArray[np.int64], cpu: NDArray[np.int64], seq: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which events came by the new way: by their numbers, or where the change tells none, by their time."""
    if not change.cpus:
        return ts > change.ts_ns
    known, last = np.array(sorted(end[:2] for end in change.cpus)).T
    at = np.minimum(np.searchsorted(known, cpu), len(known) - 1)
    return (ts > change.ts_ns - AT_WORK_NS) & (seq > np.where(known[at] == cpu, last[at], -1))


@dataclass(frozen=True, slots=True)
class Life:
    """Events of one process from all tables, in time order."""

    batches: dict[str, Batch]
    order: list[tuple[str, int]]
    """Program and position in its batch, oldest first."""
    total: int = 0
    """Events there are, with those that were too many to be among these."""

    def __len__(self) -> int:
        return len(self.order)


class Store:
    """All tables."""

    def __init__(self, programs: Iterable[str] = tuple(SCHEMAS), budget: int = DEFAULT_BYTES) -> None:
        names = [p for p in SCHEMAS if p in set(programs)]
        # The same number of average rows for each table: rows of execs are the largest.
        rows = budget // max(1, sum(row_bytes(p) for p in names))
        self.budget = budget
        self.tables = {p: Table(p, rows * row_bytes(p)) for p in names}

    def append(self, batch: Batch) -> None:
        """Take what arrived for one program; programs that were not asked for are ignored."""
        if (table := self.tables.get(batch.program)) is not None:
            table.append(batch)

    def clear(self) -> None:
        """Forget everything (a recording went back)."""
        self.tables.update({p: Table(p, t.budget) for p, t in self.tables.items()})

    def restart(self) -> None:
        """A new collector is speaking."""
        for table in self.tables.values():
            table.restart()

    def process(self, pid: int, limit: int = 5000) -> Life:
        """The kept events of the process *pid* from every table, in time order; of more than *limit* the newest."""
        found = {p: t.find("pid", pid) for p, t in self.tables.items()}
        batches = {p: self.tables[p].ring.take(rows[-limit:]) for p, rows in found.items()}
        keys = [(int(ts), p, i) for p, b in batches.items() for i, ts in enumerate(b.rows["ts"].tolist())]
        order = [(p, i) for _, p, i in sorted(keys)[-limit:]]
        return Life({p: b for p, b in batches.items() if len(b)}, order, sum(map(len, found.values())))

    def recent(self, name: str, count: int = 20) -> list[int] | list[bytes]:
        """The last different values of the field *name* over the tables that have it."""
        values: list[int] | list[bytes] = []
        for table in self.tables.values():
            schema = table.ring.schema
            if name not in schema or len(values) >= count:
                continue
            column = name if name in schema.tail else schema[name].part
            values = list(dict.fromkeys([*values, *table.recent(column, count)]))[:count]
        return values
