"""Values added up by a small number, such as the number of a row, as ``GROUP BY`` does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Counts = NDArray[np.int64]

_DENSE = 1 << 16


class Groups:
    """Groups of equal *codes*, each at least 0 and below *bound*. Sums of a group are exact up to 2**53."""

    def __init__(self, codes: Codes, bound: int) -> None:
        self.codes: Codes
        """The distinct codes in ascending order, shape (groups,)."""
        self.counts: Counts
        """How many members each group has, shape (groups,)."""
        self._size = bound
        if bound <= max(_DENSE, 4 * len(codes)):
            self._of = codes
            counts = np.bincount(codes, minlength=bound)
            self.codes = self._at = np.flatnonzero(counts)
            self.counts = counts[self._at]
        else:
            self.codes, self._of, self.counts = np.unique(codes, return_inverse=True, return_counts=True)
            self._size = len(self.codes)
            self._at = np.arange(self._size)

    def __len__(self) -> int:
        return len(self.codes)

    def sum(self, values: NDArray[np.generic]) -> Counts:
        """The sum of the *values* of each group."""
        return np.bincount(self._of, values, minlength=self._size)[self._at].astype(np.int64)

    def largest(self, values: NDArray[np.int64]) -> Counts:
        """The largest of the *values* of each group; no value may be negative."""
        found = np.zeros(self._size, np.int64)
        np.maximum.at(found, self._of, values)
        return found[self._at]

    def last(self) -> NDArray[np.int64]:
        """The position of the last member of each group."""
        found = np.empty(self._size, np.int64)
        found[self._of] = np.arange(len(self._of))  # NumPy keeps the last of several assignments
        return found[self._at]

    def alike(self, values: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Whether all *values* of each group are equal."""
        low, high = np.full(self._size, np.iinfo(np.uint64).max, np.uint64), np.zeros(self._size, np.uint64)
        np.minimum.at(low, self._of, values)
        np.maximum.at(high, self._of, values)
        same: NDArray[np.bool_] = (low == high)[self._at]
        return same
