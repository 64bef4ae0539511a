"""The events of one program, or of all, counted by one key: exact, complete and in fixed memory."""

from __future__ import annotations

from functools import reduce

import numpy as np
from numpy.typing import NDArray

from ringtop.tui.top import sketch
from ringtop.tui.top.common import Common
from ringtop.tui.top.events import Events
from ringtop.tui.top.groups import Codes, Groups
from ringtop.tui.top.hashing import Hashes, hashes
from ringtop.tui.top.keys import Key
from ringtop.tui.top.measures import Measures
from ringtop.tui.top.parts import PARTS, sums
from ringtop.tui.top.rows import MOST, RowTable
from ringtop.tui.top.search import Decided
from ringtop.tui.top.slots import Slots, by_time
from ringtop.tui.top.undecided import Undecided
from ringtop.tui.top.values import Values
from ringtop.tui.top.waits import Waits

_PID_BITS = 6


class Fold:
    """Rows by *key*, at most 2 * *most*, and what is known of each."""

    def __init__(self, key: Key, measures: Measures, most: int = MOST) -> None:
        self.key, self.measures = key, measures
        self.table = RowTable(measures.sums, measures.outcomes, most)
        self.slots = Slots(measures.sums)
        self.waits = Waits() if measures.waits else None
        self.commons = {name: Common() for name in measures.commons}
        """The commonest culprit, error and parent."""
        self.pids = sketch.registers(_PID_BITS, 0)
        self._undecided = Undecided()

    def take(self, events: Events) -> None:
        """Count *events*."""
        keys = hashes(reduce(np.add, (sums(part, events) for part in self.key.parts)))
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
        """What was searched was found, or has failed."""
        self._undecided.close(decided.found)
        tries = self._undecided.close(decided.failed)
        if not len(tries):
            return
        failed = len(self.measures.done)
        change = np.zeros((self.measures.sums, len(tries)), np.int64)
        change[failed], change[failed + 1] = tries["count"], -tries["count"]
        rows, here = tries["row"], tries["row"] >= 0
        np.add.at(self.table.sums.T, rows[here], change.T[here])
        np.add.at(self.table.about["lookups"], rows[here], tries["lookups"][here])
        self.table.others += change[:, ~here].sum(axis=1)
        for second, some in by_time(tries["second"]):
            self.slots.add(second, rows[some], change[:, some])
        if (errors := self.commons.get("error")) is not None:
            errors.add(rows[here], tries["error"][here], tries["count"][here])

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
        last = table.see(groups, events.ts[some], events.rows["pid"][some], events.rows["uid"][some])
        peaks = groups.largest(values.waited) if values.waited is not None else None
        if peaks is not None:
            table.about["peak"][found] = np.maximum(table.about["peak"][found], peaks)
        seconds = events.seconds[some]
        for second, at in by_time(seconds):
            if isinstance(at, slice):
                self.slots.add(second, found, added, peaks)
            else:
                self._add(second, rows[at], values.at(at))
        if self.waits is not None and values.waited is not None:
            self.waits.add(rows, values.waited, seconds, len(table))
        self._note_names(events, rows, some, values)
        self._note_tries(events, rows, some)
        if "parent" in self.commons:
            table.descend(groups, events.rows["ppid"][some], events.ts[some], last)
        if not self.measures.across:
            self._note_pids(rows, events.rows["pid"][some])

    def _add(self, second: int, rows: Codes, values: Values) -> None:
        """Add to a slot."""
        groups = Groups(rows, len(self.table))
        peaks = groups.largest(values.waited) if values.waited is not None else None
        self.slots.add(second, groups.codes, values.sums(groups, self.measures), peaks)

    def _labels(self, events: Events, at: Codes) -> list[bytes]:
        """What the keys of the events *at* are called: their parts, with NULs between."""
        parts = [part.labels(events, at) for part in self.key.parts]
        return parts[0] if len(parts) == 1 else list(map(b"\0".join, zip(*parts, strict=True)))

    def _note_names(self, events: Events, rows: Codes, some: slice, values: Values) -> None:
        """Count culprits and parents of all events, and errors of those that failed."""
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
        """Remember tries that are not decided yet."""
        if (judged := events.judged) is None:
            return
        tries = np.flatnonzero(judged.chains[some])
        if len(tries):
            at = some.start + tries
            errors = self._numbers(self.commons["error"], events, "error")[at]
            self._undecided.add(judged.chains[at], rows[tries], events.seconds[at], judged.begins[at], errors)

    def _note_pids(self, rows: Codes, pids: NDArray[np.uint32]) -> None:
        if len(self.pids) < len(self.table.about):
            more = sketch.registers(_PID_BITS, len(self.table.about) - len(self.pids))
            self.pids = np.concatenate([self.pids, more])
        sketch.note(self.pids, pids.astype(np.uint64) + np.uint64(1), rows)

    def _prune(self) -> None:
        """Let small rows go."""
        if (to := self.table.prune()) is None:
            return
        self.slots.renumber(to)
        self._undecided.renumber(to)
        self.pids = self.pids[: len(to)][to[: len(self.pids)] >= 0]
        for part in (self.waits, *self.commons.values()):
            if part is not None:
                part.renumber(to)
