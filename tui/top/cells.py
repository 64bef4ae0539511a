"""A sparse table of sums by code.

A code is the number of a row, shifted left by *shift* bits; the lower bits hold a detail of the row, such as a bucket
of a histogram or the number of a name.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ringtop.tui.top.groups import Codes, Counts, Groups

_PENDING = 1 << 10
"""Added cells are merged once there are more than this many plus the number of merged cells."""
OTHERS = -1
"""The row of all events that have no row of their own."""


class Cells:
    """Sums of several kinds, by code. *kinds*: their dtypes; *peak*: the last kind is a maximum instead of a sum.

    When more than 2 * *most* codes are kept, only the *most* codes with the largest sums stay. The other codes are
    added up as OTHERS if each code is a row (*shift* is 0), and are dropped otherwise.
    """

    def __init__(self, kinds: Sequence[type[np.signedinteger]], most: int, shift: int = 0, peak: bool = False) -> None:
        self.error = 0
        """Upper bound on the sum of any code that was cut."""
        self._most, self._shift, self._peak = most, shift, peak
        self._codes: Codes = np.empty(0, np.int32 if shift < 16 else np.int64)
        self._values = [np.empty(0, kind) for kind in kinds]
        self.cut: list[tuple[Codes, list[Counts]]] = []
        """Rows that became OTHERS because there were too many, and their values. The owner of the table empties it."""
        self._new: list[tuple[Codes, Sequence[Counts]]] = []
        self._pending = 0

    def add(self, codes: Codes, values: Sequence[Counts]) -> None:
        """Add *values*, one array of each kind, to *codes*, which may be unsorted and repeated."""
        self._new.append((codes, values))
        self._pending += len(codes)
        if self._pending > _PENDING + len(self._codes):
            self._merge()

    def absorb(self, other: Cells) -> None:
        """Add all cells of *other*."""
        self.add(*other.read())
        self.error += other.error

    def read(self) -> tuple[Codes, list[Counts]]:
        """The codes in ascending order, and their values, one array of each kind."""
        self._merge()
        return self._codes, self._values

    def renumber(self, to: Codes) -> None:
        """Give rows new numbers: row r becomes *to*[r]. Cells of OTHERS are merged if *shift* is 0, else dropped."""
        self._merge()
        rows = self._codes >> self._shift
        moved = np.where(rows >= 0, to[rows], OTHERS)
        codes = np.where(moved >= 0, (moved << self._shift) | (self._codes - (rows << self._shift)), OTHERS)
        kept = codes >= (0 if self._shift else OTHERS)
        self._new = [(codes[kept], [values[kept] for values in self._values])]
        self._codes, self._values = self._codes[:0], [values[:0] for values in self._values]
        self._merge()

    def _merge(self) -> None:
        if not self._new:
            return
        parts = [(self._codes, self._values), *self._new]
        codes = np.concatenate([part[0] for part in parts]).astype(np.int64)
        groups = Groups(codes - OTHERS, int(codes.max(initial=OTHERS)) - OTHERS + 1)
        self._codes = (groups.codes + OTHERS).astype(self._codes.dtype)
        for at, old in enumerate(self._values):
            values = np.concatenate([part[1][at] for part in parts])
            largest = self._peak and at == len(self._values) - 1
            self._values[at] = (groups.largest(values) if largest else groups.sum(values)).astype(old.dtype)
        self._new, self._pending = [], 0
        if len(self._codes) > 2 * self._most:
            self._cut()

    def _cut(self) -> None:
        sizes: Counts = np.sum(self._values[: len(self._values) - self._peak], axis=0, dtype=np.int64)
        sizes[self._codes < 0] = np.iinfo(np.int64).max
        order = np.argsort(-sizes, kind="stable")
        kept, cut = np.sort(order[: self._most]), order[self._most :]
        self.error += int(sizes[cut[0]])
        gone = self._codes[cut], [values[cut] for values in self._values]
        self._codes, self._values = self._codes[kept], [values[kept] for values in self._values]
        if not self._shift:
            self.cut.append(gone)
            self._new = [(np.full(len(cut), OTHERS), gone[1])]
            self._merge()
