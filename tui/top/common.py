"""The commonest value in each row: who had the CPU before, which error, which parent."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ringtop.tui.top.cells import Cells
from ringtop.tui.top.groups import Codes, Counts, Groups
from ringtop.tui.top.hashing import Hashes
from ringtop.tui.top.index import Index

_SHIFT = 20
_MOST = 1 << _SHIFT - 6
"""Most values that are kept apart; further values count as one. Pairs of row and value may be many times as many."""
_PAIRS = 32_768
OTHER = b"(others)"


class Common:
    """Counts by row and value. Memory is fixed: the rarest pairs are evicted."""

    def __init__(self) -> None:
        self._pairs = Cells([np.int64], _PAIRS, _SHIFT)
        self._values = Index()
        self._labels: list[bytes] = []

    def number(self, keys: Hashes, labels: Callable[[NDArray[np.intp]], list[bytes]]) -> Codes:
        """The number of each value by its hash, shape (n,). *labels* returns the labels of new values."""
        if len(self._labels) >= _MOST:
            numbers = self._values.find(keys)
            return np.where(numbers < 0, _MOST, numbers)
        numbers = self._values.find(keys)
        self._labels += labels(self._values.fill(keys, numbers))
        return numbers

    def add(self, rows: Codes, numbers: Codes, counts: Counts | None = None) -> None:
        """Count for each of *rows* the value with its number in *numbers*, once or as often as *counts* says."""
        if not len(rows):
            return
        codes = (rows << _SHIFT) | numbers
        if counts is not None:
            self._pairs.add(codes, [counts])
            return
        width = len(self._labels) + 1
        groups = Groups(rows * width + np.minimum(numbers, width - 1), (int(rows.max()) + 1) * width)
        codes = (groups.codes // width << _SHIFT) | groups.codes % width
        self._pairs.add(codes, [groups.counts])

    def most(self, row_count: int) -> tuple[Codes, Counts]:
        """For each row the number of its commonest value, and its count; the count is 0 when no value is known."""
        codes, (counts,) = self._pairs.read()
        number, count = np.zeros(row_count, np.int64), np.zeros(row_count, np.int64)
        order = np.argsort(counts, kind="stable")
        rows = codes[order] >> _SHIFT
        number[rows], count[rows] = codes[order] & ((1 << _SHIFT) - 1), counts[order]  # a row's last is its largest
        return number, count

    def label(self, number: int) -> bytes:
        """The label of the value with this number."""
        return self._labels[number] if number < len(self._labels) else OTHER

    def renumber(self, to: Codes) -> None:
        """Give rows new numbers, as ``Cells.renumber`` does."""
        self._pairs.renumber(to)
