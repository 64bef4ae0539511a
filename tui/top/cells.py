"""Sums kept only for those that have any: a sparse table by code.

A code is a row's number, and in its lower bits (*shift* of them) something about it: a bucket of a histogram, the
number of a name.
"""

from __future__ import annotations

import numpy as np

from ringtop.tui.top.groups import Codes, Counts, Groups

_PENDING = 1 << 12
"""Cells added and not merged yet, at most, beside as many as are merged."""
OTHERS = -1
"""Row of what has no row of its own."""


class Cells:
    """Sums, shape (sums, cells), and the largest of one value, by code."""

    def __init__(self, sums: int, most: int, shift: int = 0) -> None:
        self.most = most
        """Cells kept when there are twice as many."""
        self.error = 0
        """What a cell that was cut may have had at most, where it is missing."""
        self._shift = shift
        self._codes = np.empty(0, np.int64)
        self._sums = np.empty((sums, 0), np.int64)
        self._peaks = np.empty(0, np.int64)
        self._new: list[tuple[Codes, Counts, Counts]] = []
        self._pending = 0

    def add(self, codes: Codes, sums: Counts, peaks: Counts | None = None) -> None:
        """Add to each of *codes* (in any order, once or more) its *sums*, shape (sums, codes)."""
        self._new.append((codes, sums, peaks if peaks is not None else np.zeros(len(codes), np.int64)))
        self._pending += len(codes)
        if self._pending > _PENDING + len(self._codes):
            self._merge()

    def absorb(self, other: Cells) -> None:
        """Add all that *other* has."""
        self.add(*other.read())
        self.error += other.error

    def read(self) -> tuple[Codes, Counts, Counts]:
        """Codes in order, sums, and peaks."""
        self._merge()
        return self._codes, self._sums, self._peaks

    def renumber(self, to: Codes, keep: bool) -> None:
        """Give rows other numbers: row r is now *to*[r]; where that is OTHERS its cells become one (*keep*) or go."""
        self._merge()
        rows = self._codes >> self._shift
        moved = np.where(rows >= 0, to[rows], OTHERS)
        codes = np.where(moved >= 0, (moved << self._shift) | (self._codes - (rows << self._shift)), OTHERS)
        kept = slice(None) if keep else codes >= 0
        self._new = [(codes[kept], self._sums[:, kept], self._peaks[kept])]
        self._codes, self._sums, self._peaks = self._codes[:0], self._sums[:, :0], self._peaks[:0]
        self._merge()

    def _merge(self) -> None:
        if not self._new:
            return
        parts = [(self._codes, self._sums, self._peaks), *self._new]
        codes = np.concatenate([part[0] for part in parts])
        sums = np.concatenate([part[1] for part in parts], axis=1)
        peaks = np.concatenate([part[2] for part in parts])
        groups = Groups(codes - OTHERS, int(codes.max(initial=OTHERS)) - OTHERS + 1)
        self._codes = groups.codes + OTHERS
        self._sums = np.array([groups.sum(one) for one in sums])
        self._peaks = groups.largest(peaks)
        self._new, self._pending = [], 0
        if len(self._codes) > 2 * self.most:
            self._cut()

    def _cut(self) -> None:
        """Keep the largest; the others become one, or go where codes are more than rows."""
        sizes = self._sums.sum(axis=0)
        sizes[self._codes < 0] = np.iinfo(np.int64).max
        order = np.argsort(-sizes, kind="stable")
        kept, cut = np.sort(order[: self.most]), order[self.most :]
        self.error += int(sizes[cut[0]])
        codes, sums, peaks = self._codes[cut], self._sums[:, cut], self._peaks[cut]
        self._codes, self._sums, self._peaks = self._codes[kept], self._sums[:, kept], self._peaks[kept]
        if not self._shift:
            self.add(np.full(len(codes), OTHERS), sums, peaks)
            self._merge()
