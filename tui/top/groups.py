"""Values added up by a small number, such as that of a row: what ``GROUP BY`` does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Counts = NDArray[np.int64]

_DENSE = 1 << 16


class Groups:
    """Equal *codes* (0 to below *bound*), and what belongs to each. Sums are exact up to 2**53."""

    def __init__(self, codes: Codes, bound: int) -> None:
        self.codes: Codes
        """The distinct ones, in order."""
        self.counts: Counts
        """How often each is there."""
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
        """The sum of each one's *values*."""
        return np.bincount(self._of, values, minlength=self._size)[self._at].astype(np.int64)

    def largest(self, values: NDArray[np.int64]) -> Counts:
        """The largest of each one's *values*, which are not negative."""
        found = np.zeros(self._size, np.int64)
        np.maximum.at(found, self._of, values)
        return found[self._at]

    def last(self) -> NDArray[np.int64]:
        """Where each one stands last."""
        found = np.empty(self._size, np.int64)
        found[self._of] = np.arange(len(self._of))  # of equal ones, NumPy keeps the last
        return found[self._at]

    def alike(self, values: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Whether all *values* of each one are the same."""
        low, high = np.full(self._size, np.iinfo(np.uint32).max, np.uint32), np.zeros(self._size, np.uint32)
        np.minimum.at(low, self._of, values)
        np.maximum.at(high, self._of, values)
        same: NDArray[np.bool_] = (low == high)[self._at]
        return same
