"""The events of one program, or of all, counted by one key: exact, complete and in fixed memory."""

from __future__ import annotations

from functools import reduce

import numpy as np
from numpy.typing import NDArray

from ringtop.tui.top import sketch
from ringtop.tui.top.cells import OTHERS
from ringtop.tui.top.common import Common
from ringtop.tui.top.events import Events
from ringtop.tui.top.groups import Codes, Counts, Groups
from ringtop.tui.top.hashing import Hashes, hashes
from ringtop.tui.top.keys import Key
from ringtop.tui.top.measures import Measures
from ringtop.tui.top.parts import PARTS, sums
from ringtop.tui.top.rows import MOST, RowTable
from ringtop.tui.top.running import Running
from ringtop.tui.top.search import Decided
from ringtop.tui.top.slots import by_time
from ringtop.tui.top.undecided import Tries, Undecided
from ringtop.tui.top.values import Values
from ringtop.tui.top.waits import Waits
from ringtop.tui.top.windows import Windows

_PID_BITS = 6


def ids(key: Key, events: Events) -> Hashes:
    """The ids of the rows that count *events* when folded by *key*, shape (n,)."""
    return hashes(reduce(np.add, (sums(part, events) for part in key.parts)))


class Fold:
    """Rows by *key*, at most 2 * *most*, with the sums and other facts of each."""

    def __init__(self, key: Key, measures: Measures, most: int = MOST) -> None:
        self.key, self.measures = key, measures
        self.table = RowTable(len(measures.names), measures.outcomes, most)
        self.windows = Windows(measures)
        self.waits = Waits() if measures.waits else None
        self.runs = Waits() if measures.runs else None
        """The times that the processes of each row ran."""
        self._running = Running() if measures.runs and measures.searches else None
        self.commons = {name: Common() for name in measures.commons}
        """Counters that find the commonest culprit, error and parent of each row."""
        self.pids = sketch.registers(_PID_BITS, 0)
        self._undecided = Undecided()

    def take(self, events: Events) -> None:
        """Count *events*, in parts when their keys might not all fit."""
        keys = ids(self.key, events)
        rows = self.table.find(keys)
        if self.table.fits(rows):
            self._count(events, keys, rows, slice(0, len(keys)))
            return
        for start in range(0, len(keys), self.table.most):
            some = slice(start, start + self.table.most)
            rows = self.table.find(keys[some])
            if not self.table.fits(rows):
                self._prune()
                rows = self.table.find(keys[some])
            self._count(events, keys[some], rows, some)

    def decide(self, decided: Decided) -> None:
        """Close the searches that are decided; the tries of failed searches change from searched to failed."""
        self._undecided.close(decided.found)
        tries = self._undecided.close(decided.failed)
        for second in np.unique(tries["second"]).tolist():
            self._fail(second, tries[tries["second"] == second])

    def end(self, events: Events) -> None:
        """Add the times that processes ran to the rows of their last execs. *events* are their ends."""
        if self._running is None or self.runs is None:
            return
        found, age = events.values.ran, events.rows["age"]
        assert found is not None
        at, rows = self._running.close(events.processes("pid"), events.ts, found, age)
        if not len(at):
            return
        ran, seconds = found[at], events.seconds[at]
        self.runs.add(rows, ran, seconds, len(self.table))
        for second, some in by_time(seconds):
            groups = Groups(rows[some], len(self.table))
            self._change(second, groups.codes, ran=groups.sum(ran[some]))

    def _fail(self, second: int, tries: Tries) -> None:
        """Count *tries*, all made in *second*, as failed instead of searched."""
        groups = Groups(tries["row"] - OTHERS, len(self.table) + 1)
        rows, count = groups.codes + OTHERS, groups.sum(tries["count"])
        self._change(second, rows, failed=count, searched=-count)
        here = rows >= 0
        self.table.about["lookups"][rows[here]] += groups.sum(tries["lookups"])[here]
        tries = tries[tries["row"] >= 0]
        self.commons["error"].add(tries["row"], tries["error"], tries["count"])

    def _change(self, second: int, rows: Codes, **added: Counts) -> None:
        """Add to some sums of *rows*, at *second*: by the names of the sums, a value for each row."""
        change = np.zeros((len(self.measures.names), len(rows)), np.int64)
        for name, values in added.items():
            change[self.measures.names.index(name)] = values
        self.windows.add(second, rows, change, None)
        here = rows >= 0
        self.table.sums[:, rows[here]] += change[:, here]
        self.table.others += change[:, ~here].sum(axis=1)

    def _count(self, events: Events, keys: Hashes, rows: Codes, some: slice) -> None:
        table = self.table
        new = table.fill(keys, rows)
        if len(new):
            table.labels += self._labels(events, new + some.start)
            table.about["first"][rows[new]] = events.ts[some][new]
        groups, values = Groups(rows, len(table)), events.values.at(some)
        found = groups.codes
        added = values.sums(groups, self.measures)
        table.sums[:, found] += added
        pid = events.processes("pid")[some]
        if not self.measures.across:
            self._note_pids(rows, pid)
        last = table.see(groups, events.ts[some], pid, events.rows["uid"][some])
        peaks = groups.largest(values.waited) if values.waited is not None else None
        if peaks is not None:
            table.about["peak"][found] = np.maximum(table.about["peak"][found], peaks)
        table.about["cut"][rows[events.cut[some]]] = True
        seconds = events.seconds[some]
        for second, at in by_time(seconds):
            if isinstance(at, slice):
                self.windows.add(second, found, added, peaks)
            else:
                self._add(second, rows[at], values.at(at))
        if self.waits is not None and values.waited is not None:
            self.waits.add(rows, values.waited, seconds, len(table))
        if self.runs is not None and values.ran is not None:
            self.runs.add(rows, values.ran, seconds, len(table))
        if self._running is not None:
            done = np.flatnonzero(events.rows["ret"][some] == 0)
            self._running.add(pid[done], events.ts[some][done], rows[done])
        self._note_names(events, rows, some, values)
        self._note_tries(events, rows, some)
        if "parent" in self.commons:
            table.descend(groups, events.processes("ppid")[some], events.ts[some], last)

    def _add(self, second: int, rows: Codes, values: Values) -> None:
        """Add *values* of *rows* to the windows at *second*."""
        groups = Groups(rows, len(self.table))
        peaks = groups.largest(values.waited) if values.waited is not None else None
        self.windows.add(second, groups.codes, values.sums(groups, self.measures), peaks)

    def _labels(self, events: Events, at: Codes) -> list[bytes]:
        """The labels of the keys of the events *at*: the labels of their parts, joined by NULs."""
        parts = [part.labels(events, at) for part in self.key.parts]
        return parts[0] if len(parts) == 1 else list(map(b"\0".join, zip(*parts, strict=True)))

    def _note_names(self, events: Events, rows: Codes, some: slice, values: Values) -> None:
        """Count the culprits and parents of all events, and the errors of failed events."""
        for name, common in self.commons.items():
            if name != "error":
                common.add(rows, self._numbers(common, events, name)[some])
        if values.failed is None or not len(failed := np.flatnonzero(values.failed)):
            return
        errors = self.commons["error"]
        errors.add(rows[failed], self._numbers(errors, events, "error")[some.start + failed])

    def _numbers(self, common: Common, events: Events, name: str) -> Codes:
        part = PARTS[name]
        keys = hashes(sums(part, events))
        return common.number(keys, lambda new: part.labels(events, new))

    def _note_tries(self, events: Events, rows: Codes, some: slice) -> None:
        """Keep the tries of searches that are not decided yet."""
        if (judged := events.judged) is None:
            return
        tries = np.flatnonzero(judged.chains[some])
        if len(tries):
            at = some.start + tries
            errors = self._numbers(self.commons["error"], events, "error")[at]
            self._undecided.add(judged.chains[at], rows[tries], events.seconds[at], judged.begins[at], errors)

    def _note_pids(self, rows: Codes, pids: NDArray[np.uint64]) -> None:
        """Count the processes of each row. A process that is already the newest of its row was counted before."""
        about = self.table.about
        if len(self.pids) < len(about):
            self.pids = np.concatenate([self.pids, sketch.registers(_PID_BITS, len(about) - len(self.pids))])
        fresh = np.flatnonzero((about["pid"][rows] != pids) | (about["last"][rows] == 0))
        if len(fresh):
            sketch.note(self.pids, pids[fresh] + np.uint64(1), rows[fresh])

    def _prune(self) -> None:
        """Evict small rows when there are too many, and renumber the others everywhere."""
        if (to := self.table.prune()) is None:
            return
        self.windows.renumber(to)
        self._undecided.renumber(to)
        self.pids = self.pids[: len(to)][to[: len(self.pids)] >= 0]
        for part in (self.waits, self.runs, self._running, *self.commons.values()):
            if part is not None:
                part.renumber(to)
