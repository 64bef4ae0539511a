"""The engine: it folds all events as they arrive, before the viewer sheds or filters any.

Any thread may feed it, and any thread may ask for reports. It uses the events' own time, so a replay gives the same
reports.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf import filter as language
from ringtop.bpf import stream
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.names import Names
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.source.inbox import Arrived, Entry, Skipped, arrived
from ringtop.tui.source.source import Rewound
from ringtop.tui.top.case import Case
from ringtop.tui.top.columns import sorts
from ringtop.tui.top.commands import Commands
from ringtop.tui.top.events import Events, Known
from ringtop.tui.top.fold import Fold, ids
from ringtop.tui.top.hashing import Hasher
from ringtop.tui.top.keys import Key, first_key, named
from ringtop.tui.top.ledgers import Ledgers
from ringtop.tui.top.losses import Losses
from ringtop.tui.top.marks import marks
from ringtop.tui.top.measures import ALL, Measures, measures, searches
from ringtop.tui.top.names import Comms, Host
from ringtop.tui.top.order import Order
from ringtop.tui.top.report import START, Report
from ringtop.tui.top.rows import MOST
from ringtop.tui.top.search import Decided, Searches
from ringtop.tui.top.standing import Standing
from ringtop.tui.top.summary import Wanted, report


@dataclass
class _Table:
    """The folds and losses of one program, or of all."""

    main: Fold
    """The fold that is kept from the start."""
    since_ns: int | None = None
    """Start of *main*, ns; None means the first message."""
    chosen: Fold | None = None
    """A fold by another key since *chosen_ns*, if one was chosen."""
    chosen_ns: int = 0
    losses: Losses = field(default_factory=Losses)
    last_ns: int | None = None
    kept_out: int = 0

    @property
    def folds(self) -> list[Fold]:
        """All folds of the table; reports use the last."""
        return [self.main] if self.chosen is None else [self.main, self.chosen]


def _is_of_ends(batch: Batch) -> bool:
    return bool(batch.schema.runs)


class Top:
    """A table for each of *programs* and one across all of them, folded by the keys that *by* names.

    *select*: a filter on the events that are counted. *host*: lookups on the machine that the events come from.
    *seed*: secret of the hashes; whoever knows it can make two keys collide. Each table has at most 2 * *most* rows.
    """

    def __init__(
        self,
        programs: Iterable[str] = tuple(SCHEMAS),
        by: Mapping[str, str] | None = None,
        select: language.Expr = language.ALL,
        host: Host | None = None,
        seed: bytes | None = None,
        most: int = MOST,
    ) -> None:
        """Raises ValueError when *by* names an unknown key."""
        wanted = set(programs)
        self.programs = tuple(p for p in SCHEMAS if p in wanted)
        self.now_ns = 0
        """Newest time of the stream, ns."""
        self.version = 0
        """A number that changes whenever a report may change."""
        self.wall_offset_ns = 0
        self._by = {p: named(p, name) for p, name in (by or {}).items()}
        self._select, self._host, self._most = select, host, most
        self._seed = os.urandom(16) if seed is None else seed
        self._lock = threading.RLock()
        self._start_ns: int | None = None
        self._ledgers: defaultdict[int, Ledgers] = defaultdict(Ledgers)
        """By the number of the host."""
        self._names = Names()
        """What a stream of rounds has told. Rounds that have arrived have the names of theirs."""
        self._clear()

    # Feeding it

    def hear(self, entry: Entry | stream.Round | stream.Cgroups, host: int = 0) -> None:
        """Take a message of the stream of *host*, by the number that its rows have. Raises StreamError for a round that
        cannot be decoded."""
        match entry:
            case Arrived():
                for batch in sorted(entry.batches, key=_is_of_ends):  # after the execs
                    self.take(batch)
                self.tick(entry.drained_ns)
            case stream.Cgroups():
                stream.learn(entry, self._names)
            case stream.Round():
                self.hear(arrived(entry, self._names))
            case stream.Stats():
                self.wall_offset_ns = entry.wall_offset_ns
                self.tick(entry.ts_ns)
                for program, events in self._ledgers[host].lost(entry):
                    self.lost(program, events, entry.ts_ns)
            case Skipped():
                self.lost(entry.program, entry.rows, self.now_ns)
            case stream.Hello():
                self.wall_offset_ns = entry.wall_offset_ns
                self._ledgers[host].restart()
            case Rewound():
                with self._lock:
                    self._clear()

    def take(self, batch: Batch) -> None:
        """Fold the events of *batch*."""
        if batch.program not in self._tables:
            return
        with self._lock:
            if batch.schema.runs and len(batch):
                self._end(Events(batch, self._known))
            if self._select != language.ALL:
                batch = batch.take(language.match(self._select, batch))
            if not len(batch):
                return
            events, decided = self._judged(batch, self._searches)
            self._begin(int(events.ts.min()))
            self.now_ns = max(self.now_ns, events.now_ns)
            self._decide(decided)
            for program in (batch.program, ALL):
                table = self._tables[program]
                table.last_ns = max(table.last_ns or 0, events.now_ns)
                for fold in table.folds:
                    fold.take(events)

    def lost(self, program: str, events: int, when_ns: int) -> None:
        """Count *events* of *program* that are found to be lost at *when_ns*."""
        if program in self._tables:
            with self._lock:
                self.version += 1
                for name in (program, ALL):
                    self._tables[name].losses.add(events, when_ns)

    def tick(self, now_ns: int) -> None:
        """Advance the time to *now_ns*."""
        with self._lock:
            self._begin(now_ns)
            self.now_ns = max(self.now_ns, now_ns)
            self._decide(self._searches.expire(self.now_ns))

    def behind(self, expr: language.Expr) -> Top:
        """An empty top with the same keys and row ids, which counts only the events that match *expr*."""
        with self._lock:
            by = {program: self.key(program).name for program in self._tables}
            top = Top(self.programs, by, expr, self._host, self._seed, self._most)
            top.wall_offset_ns = self.wall_offset_ns
            return top

    # Asking it

    def key(self, program: str) -> Key:
        """The key that *program*, or ALL, is folded by."""
        return self._tables[program].folds[-1].key

    def report(
        self,
        program: str,
        window: str = START,
        sort: str = "",
        rows: int = 20,
        first: int = 0,
        order: Order | None = None,
        chosen: int | None = None,
        pins: Sequence[int] = (),
    ) -> Report:
        """The report on *program*, or ALL, in *window*: START or one of WINDOWS. Raises KeyError for another window.

        All rows are ranked by the column *sort*, or by what hurts most if the table lacks it; the report has *rows* of
        them from place *first* on. *order* keeps them steady on a screen. *chosen*: id of a row that is reported in
        any case, as the first or the last if its place is not; *pins*: ids of rows that stand above all others. These
        rows stay even if they had no event in the window.
        """
        with self._lock:
            table = self._tables[program]
            fold = table.folds[-1]
            since = table.since_ns if fold is table.main else table.chosen_ns
            start = since if since is not None else self._start_ns or 0
            standing = Standing(fold, window, self.now_ns, start)
            losses = table.losses.since(standing.since_ns)
            case = Case(standing, marks(standing), losses, table.last_ns, self.wall_offset_ns)
            wanted = Wanted(
                sort if sort in sorts(fold.measures) else sorts(fold.measures)[0], rows, first, order, chosen, pins
            )
            return report(program, case, wanted, self._kept_out(program))

    def events_of(self, program: str, row: int) -> Callable[[Batch], NDArray[np.bool_]]:
        """A function that selects, from a batch of *program*, the events counted in the row with the id *row*."""
        key = self.key(program)

        def select(batch: Batch) -> NDArray[np.bool_]:
            if not len(batch):
                return np.zeros(0, bool)
            with self._lock:
                found: NDArray[np.bool_] = ids(key, Events(batch, self._known)) == np.uint64(row)
                return found

        return select

    # Changing it

    def fold_by(self, program: str, name: str, history: Iterable[Batch] = ()) -> None:
        """Fold *program*, or ALL, by the key called *name*. *history* has the events of all programs taken before that
        are still resident, in order within each program; the new fold starts with them. Raises ValueError for an
        unknown key."""
        key = named(program, name)
        with self._lock:
            table = self._tables[program]
            if key == table.main.key:
                table.chosen = None
                return
            fold = Fold(key, self._measures(program), self._most)
            table.chosen_ns = self.now_ns
            past = Searches()
            for batch in history:
                if batch.schema.runs and len(batch):
                    fold.end(Events(batch, self._known))
                if program not in (batch.program, ALL):
                    continue
                if len(batch := batch.take(language.match(self._select, batch))):
                    events, decided = self._judged(batch, past)
                    table.chosen_ns = min(table.chosen_ns, int(events.ts.min()))
                    fold.decide(decided)
                    fold.take(events)
            table.chosen = fold

    def zero(self, program: str) -> None:
        """Start the counts of *program*, or ALL, again from 0."""
        with self._lock:
            old = self._tables[program]
            table = self._tables[program] = _Table(Fold(old.main.key, self._measures(program), self._most), self.now_ns)
            table.kept_out = self._kept_out(program)
            if old.chosen is not None:
                table.chosen, table.chosen_ns = Fold(old.chosen.key, self._measures(program), self._most), self.now_ns

    def _clear(self) -> None:
        hasher = Hasher(self._seed)
        self._known = Known(hasher, Comms(self._host), Commands(hasher))
        self._searches = Searches()
        self._start_ns = None
        self.now_ns = 0
        self._tables = {
            p: _Table(Fold(self._by.get(p) or first_key(p), self._measures(p), self._most))
            for p in (*self.programs, ALL)
        }

    def _measures(self, program: str) -> Measures:
        return measures(program, self.programs)

    def _begin(self, now_ns: int) -> None:
        self.version += 1
        if self._start_ns is None:
            self._start_ns = now_ns

    def _judged(self, batch: Batch, past: Searches) -> tuple[Events, Decided]:
        """The events of *batch*, and the searches of *past* that they decide."""
        events = Events(batch, self._known)
        if not searches(batch.schema):
            return events, past.expire(0)
        done = batch.rows["ret"] == 0
        self._known.comms.learn(events.processes("pid")[done], batch.rows["comm"][done], events.now_ns)
        events.judged, decided = past.judge(batch.rows["ret"], events.ts, *events.chains())
        return events, decided

    def _end(self, ends: Events) -> None:
        """Add how long processes ran to the rows of their execs, whether or not their ends are selected."""
        for table in self._tables.values():
            for fold in table.folds:
                fold.end(ends)

    def _decide(self, decided: Decided) -> None:
        if len(decided.found) or len(decided.failed):
            for table in self._tables.values():
                for fold in table.folds:
                    fold.decide(decided)

    def _kept_out(self, program: str) -> int:
        programs = self.programs if program == ALL else (program,)
        whole = sum(told.kept_out.get(p, 0) for told in list(self._ledgers.values()) for p in programs)
        return whole - self._tables[program].kept_out
