"""The history: the newest events of every program within a stated amount of memory, oldest evicted and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf import stream
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import SCHEMAS, TEXTS
from ringtop.tui.model.gaps import SequenceCheck
from ringtop.tui.model.notes import Note, about
from ringtop.tui.model.ring import Ring, row_bytes

DEFAULT_BYTES = 64 << 20
"""The memory budget for the history of all tables together."""
LOOK = 1 << 16
"""The place of a change is searched for among this many of the newest rows; fewer arrive while it is made."""
MOST_NOTES = 16
"""The limit of notes at one row, and of a host's changes not yet placed: a hostile recording may hold any number."""
AT_WORK_NS = 1_000_000_000
"""An event stamped longer than this before a change is too old to have been in flight during it; its sequence number
may belong to a previous collector."""


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
        """All events that arrived."""
        self.unkept: Counter[int] = Counter()
        """The received events that were never stored, by their host: skipped, or without room while rows on the screen
        were held."""
        self.floor: int | None = None
        """The first row that must stay resident while rows are frozen on the screen; None otherwise."""
        self.marks: dict[int, list[Note]] = {}
        """The notes before each row, such as a restart or a change of transport, by row number."""
        self.placed: list[int] = []
        """The rows before which a change was placed, in the order of placing: a view may have scanned them already."""
        self._due: list[tuple[Note, int]] = []
        """The changes that are not placed yet, each with the number of its host."""
        self._sequence = SequenceCheck()
        self._carried = 0
        self._held = 0

    @property
    def first(self) -> int:
        """The number of the oldest resident row."""
        return self.ring.first

    @property
    def end(self) -> int:
        """The number that the next row will get."""
        return self.ring.end

    @property
    def evicted(self) -> int:
        """The number of rows evicted so far."""
        return self.ring.first

    @property
    def at_end(self) -> list[Note]:
        """The notes after the last row: those before the next row, and changes after which no event has arrived yet."""
        return [*self.marks.get(self.end, []), *(note for note, _ in self._due)]

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
            self._note(start, f"{self._held:,} not kept: the frozen rows filled the history")
            self._held = 0
        if kept < len(batch):
            hosts, counts = np.unique(batch.rows["host"][kept:], return_counts=True)
            self.unkept.update(dict(zip(hosts.tolist(), counts.tolist(), strict=True)))
            self._held += len(batch) - kept
        if self._due:
            self._place(start)
        for row in [r for r in self.marks if r < self.first]:
            del self.marks[row]
        # Gaps among rows that were not stored are reported at the next stored row.
        self._carried += int(lost[kept:].sum(dtype=np.int64))

    def skip(self, count: int, host: int = 0) -> None:
        """Count *count* events of *host* that arrived and were discarded unread; the next events open no gap."""
        self.received += count
        self.unkept[host] += count
        self._sequence.reset(host)

    def restart(self, host: int = 0) -> None:
        """A new collector has started on *host*: it numbers its events from the start again."""
        self._sequence.reset(host)
        # The old collector's sequence numbers cannot place a change among the new collector's events.
        for note, of in self._due:
            if of == host:
                self._note(self.end, note)
        self._due = [(note, of) for note, of in self._due if of != host]

    def mark(self, note: Note, host: int = 0) -> None:
        """Put a note about *host* before the next row; a change goes before the first row that it applies to."""
        if isinstance(about(note), stream.Changed):
            others = [due for due in self._due if due[1] != host]
            self._due = [*others, *[due for due in self._due if due[1] == host][1 - MOST_NOTES :], (note, host)]
            self._place(self.end - LOOK)
        else:
            self._note(self.end, note)

    def _note(self, row: int, note: Note) -> None:
        self.marks[row] = [*self.marks.get(row, [])[1 - MOST_NOTES :], note]

    def _place(self, start: int) -> None:
        """Put each pending change before its first row from *start* on; those without such a row stay pending."""
        start = max(start, self.first)
        names = ("ts", "cpu", "seq", "host")
        ts, cpu, seq, hosts = (self.ring.column(name, start, self.end).astype(np.int64) for name in names)
        waiting = []
        for note, host in self._due:
            change = about(note)
            assert isinstance(change, stream.Changed)
            after = np.flatnonzero(_after(change, ts, cpu, seq) & (hosts == host))
            if len(after):
                row = start + int(after[0])
                self._note(row, note)
                self.placed.append(row)
            else:
                waiting.append((note, host))
        self._due = waiting

    def event(self, number: int) -> Event | None:
        """The row *number*; None when it is not resident."""
        if not self.first <= number < self.end:
            return None
        return Event(number, self.ring.take(np.array([number], np.int64)))

    def find(self, pid: int, host: int) -> NDArray[np.int64]:
        """The numbers of the resident rows of the process with this id on *host*."""
        rows = np.flatnonzero(self.ring.column("pid", self.first, self.end) == pid) + self.first
        found: NDArray[np.int64] = rows[self.ring.values("host", rows) == host]
        return found

    def recent(self, name: str, count: int = 20, look: int = 2000) -> list[int] | list[bytes]:
        """The last *count* different values of a field among the newest *look* rows, newest first."""
        newest, field = self.ring.slice(self.end - look, self.end), self.ring.schema[name]
        values = newest.text(name) if field.kind in TEXTS or field.kind == "args" else newest.rows[field.part].tolist()
        return list(dict.fromkeys(reversed(values)))[:count]


def _after(
    change: stream.Changed, ts: NDArray[np.int64], cpu: NDArray[np.int64], seq: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which events came after *change*: by sequence number, or by timestamp when the change gives no numbers."""
    if not change.cpus:
        return ts > change.ts_ns
    known, last = np.array(sorted(end[:2] for end in change.cpus)).T
    at = np.minimum(np.searchsorted(known, cpu), len(known) - 1)
    return (ts > change.ts_ns - AT_WORK_NS) & (seq > np.where(known[at] == cpu, last[at], -1))


@dataclass(frozen=True, slots=True)
class Life:
    """The events of one process from all tables, in time order."""

    batches: dict[str, Batch]
    order: list[tuple[str, int]]
    """Program and position in its batch, oldest first."""
    total: int = 0
    """The number of resident events of the process, including those beyond the limit."""

    def __len__(self) -> int:
        return len(self.order)


class Store:
    """The tables of all programs, within one memory budget."""

    def __init__(self, programs: Iterable[str] = tuple(SCHEMAS), budget: int = DEFAULT_BYTES) -> None:
        names = [p for p in SCHEMAS if p in set(programs)]
        # The same number of average rows for each table: rows of execs are the largest.
        rows = budget // max(1, sum(row_bytes(p) for p in names))
        self.budget = budget
        self.tables = {p: Table(p, rows * row_bytes(p)) for p in names}

    def append(self, batch: Batch) -> None:
        """Store a batch of one program; a program without a table is ignored."""
        if (table := self.tables.get(batch.program)) is not None:
            table.append(batch)

    def clear(self) -> None:
        """Empty all tables: a recording has gone back."""
        self.tables.update({p: Table(p, t.budget) for p, t in self.tables.items()})

    def started(self, pid: int, ts: int | None = None, host: int = 0) -> int:
        """When the process started that had the id *pid* on *host* at the time *ts*, or has it in its newest event, by
        the events that know it; 0 where none does (kernel's clock, ns)."""
        found = [t.ring.values("start_ns", t.find(pid, host)) for t in self.tables.values()]
        starts = np.concatenate([np.zeros(1, np.uint64), *found])
        return int(starts[starts <= ts].max() if ts is not None else starts.max())

    def process(self, pid: int, ts: int | None = None, limit: int = 5000, host: int = 0) -> Life:
        """The resident events of the process that had the id *pid* on *host* at the time *ts*, or has it in its newest
        event, from every table, in time order; at most the *limit* newest. Events that do not know when their process
        started are taken for its own."""
        start = self.started(pid, ts, host)
        found = {p: t.find(pid, host) for p, t in self.tables.items()}
        for program, rows in found.items():
            starts = self.tables[program].ring.values("start_ns", rows)
            found[program] = rows[(starts == start) | (starts == 0)]
        batches = {p: self.tables[p].ring.take(rows[-limit:]) for p, rows in found.items()}
        keys = [(int(ts), p, i) for p, b in batches.items() for i, ts in enumerate(b.rows["ts"].tolist())]
        order = [(p, i) for _, p, i in sorted(keys)[-limit:]]
        return Life({p: b for p, b in batches.items() if len(b)}, order, sum(map(len, found.values())))

    def recent(self, name: str, count: int = 20) -> list[int] | list[bytes]:
        """The last different values of the field *name* over the tables that have it."""
        values: list[int] | list[bytes] = []
        for table in self.tables.values():
            if name not in table.ring.schema or len(values) >= count:
                continue
            values = list(dict.fromkeys([*values, *table.recent(name, count)]))[:count]
        return values
