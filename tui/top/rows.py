"""The rows of a fold: each key has a numbered row with its sums and other facts, kept since the key got its row.

Memory is fixed. When twice as many keys have rows as may stay, the smallest rows are evicted in one step (Misra and
Gries, 1982; in batches: Agarwal and others, "Mergeable summaries", 2012): the largest counter that may not stay is
subtracted from all counters, and rows with nothing left are evicted. The error is the sum of what was subtracted so
far: a key may have had that many events before it got its row. The error is at most events / (rows + 1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ringtop.tui.top import sketch
from ringtop.tui.top.cells import OTHERS
from ringtop.tui.top.groups import Codes, Counts, Groups
from ringtop.tui.top.hashing import Hashes
from ringtop.tui.top.index import Index

MOST = 16_384
"""Rows that stay when rows are evicted."""
_ABOUT = np.dtype(
    [
        ("key", "<u8"),
        ("born", "<i8"),  # the error when it got its row
        ("first", "<i8"),  # its first event, ns
        ("last", "<i8"),  # its newest event, ns
        ("peak", "<i8"),  # its longest wait, ns
        ("lookups", "<i8"),  # searches along PATH that found nothing
        ("parent_since", "<i8"),  # since when ppid has been the only one, ns
        ("pid", "<u8"),  # of the newest event, like the next two; as ``Events.processes``
        ("ppid", "<u8"),
        ("uid", "<u4"),
        ("several", "?"),  # it had events of more than one process
        ("cut", "?"),  # the arguments or the path of one event were cut
    ]
)
_LEAST = 64
_KEY_BITS = 14


class RowTable:
    """Rows by number. Each has *sums* sums, of which the first *outcomes* add up to its events."""

    def __init__(self, sums: int, outcomes: int, most: int = MOST) -> None:
        self.most = most
        self.labels: list[bytes] = []
        self.about = np.zeros(_LEAST, _ABOUT)
        self.sums = np.zeros((sums, _LEAST), np.int64)
        self.others = np.zeros(sums, np.int64)
        """Sums of the evicted rows."""
        self.error = 0
        self._outcomes = outcomes
        self._index = Index()
        self._gone = sketch.registers(_KEY_BITS)

    def __len__(self) -> int:
        return self._index.count

    @property
    def events(self) -> Counts:
        """Events of each row."""
        found: Counts = self.sums[: self._outcomes, : len(self)].sum(axis=0)
        return found

    @property
    def gone(self) -> int:
        """Estimated number of keys whose rows were evicted."""
        return int(sketch.estimate(self._gone)[0]) if self.error else 0

    def find(self, keys: Hashes) -> Codes:
        """The row of each key, OTHERS for keys without one; shape (n,)."""
        return self._index.find(keys)

    def fits(self, rows: Codes) -> bool:
        """Whether all keys can have a row without an eviction. *rows*: the result of ``find`` for them."""
        return len(self) + int(np.count_nonzero(rows < 0)) <= 2 * self.most

    def fill(self, keys: Hashes, rows: Codes) -> NDArray[np.intp]:
        """Give a row to each of *keys* that has none and complete *rows*, the result of ``find``. Returns the first
        position of each new key; the caller must add its label."""
        before = len(self)
        new = self._index.fill(keys, rows)
        if len(new):
            self._grow(len(self))
            born = self.about[before : len(self)]
            born["key"], born["born"] = keys[new], self.error
        return new

    def see(
        self, groups: Groups, ts: NDArray[np.int64], pid: NDArray[np.uint64], uid: NDArray[np.uint32]
    ) -> NDArray[np.int64]:
        """Store times, processes and users of *groups* of rows; returns where the last event of each is."""
        rows, last, about = groups.codes, groups.last(), self.about
        known = about["last"][rows] > 0
        about["several"][rows] |= ~groups.alike(pid) | (known & (about["pid"][rows] != pid[last]))
        about["last"][rows] = np.maximum(about["last"][rows], ts[last])
        about["pid"][rows], about["uid"][rows] = pid[last], uid[last]
        return last

    def descend(self, groups: Groups, ppid: NDArray[np.uint64], ts: NDArray[np.int64], last: NDArray[np.int64]) -> None:
        """Store the parents of *groups* of rows, whose last events are at the positions *last*."""
        rows, about = groups.codes, self.about
        same = groups.alike(ppid) & (about["ppid"][rows] == ppid[last])
        about["parent_since"][rows] = np.where(same, about["parent_since"][rows], ts[last])
        about["ppid"][rows] = ppid[last]

    def prune(self) -> Codes | None:
        """Evict small rows; returns the new number of each row, OTHERS for evicted ones. None when all may stay."""
        if len(self) <= self.most:
            return None
        about = self.about[: len(self)]
        counters = self.events + about["born"] - self.error
        place = len(counters) - self.most - 1
        least = int(np.partition(counters, place)[place])
        stay, gone = np.flatnonzero(counters > least), np.flatnonzero(counters <= least)
        self.error += least
        self.others += self.sums[:, gone].sum(axis=1)
        sketch.note(self._gone, about["key"][gone])
        to = np.full(len(self), OTHERS)
        to[stay] = np.arange(len(stay))
        self.about, self.sums = self.about[stay], self.sums[:, stay]
        self.labels = [self.labels[row] for row in stay.tolist()]
        self._index = Index()
        self._index.add(self.about["key"])
        return to

    def _grow(self, count: int) -> None:
        size = len(self.about)
        if count > size:
            more = max(count, min(2 * size, 2 * self.most)) - size
            self.about = np.concatenate([self.about, np.zeros(more, _ABOUT)])
            self.sums = np.concatenate([self.sums, np.zeros((len(self.sums), more), np.int64)], axis=1)
