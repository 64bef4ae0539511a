"""Which value is the commonest in each row: who had the CPU before, which error, whose child."""

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
"""Values that are told apart; the others are one. There may be many times as many pairs of row and value."""
_PAIRS = 32_768
OTHER = b"(others)"


class Common:
    """Counts by row and value, of as many pairs as there is room for: the rarest go."""

    def __init__(self) -> None:
        self._pairs = Cells([np.int64], _PAIRS, _SHIFT)
        self._values = Index()
        self._labels: list[bytes] = []

    def number(self, keys: Hashes, labels: Callable[[NDArray[np.intp]], list[bytes]]) -> Codes:
        """The number of each value; *labels* tells what those that are new are called."""
        if len(self._labels) >= _MOST:
            numbers = self._values.find(keys)
            return np.where(numbers < 0, _MOST, numbers)
        numbers = self._values.find(keys)
        self._labels += labels(self._values.fill(keys, numbers))
        return numbers

    def add(self, rows: Codes, numbers: Codes, counts: Counts | None = None) -> None:
        """Each of *rows* had the value of that number, once, or so many times as *counts* say."""
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
        """For each row the number of its commonest value and how often it was there; 0 times where none is known."""
        codes, (counts,) = self._pairs.read()
        number, count = np.zeros(row_count, np.int64), np.zeros(row_count, np.int64)
        order = np.argsort(counts, kind="stable")
        rows = codes[order] >> _SHIFT
        number[rows], count[rows] = codes[order] & ((1 << _SHIFT) - 1), counts[order]  # of each row, the last stays
        return number, count

    def label(self, number: int) -> bytes:
        """What the value of that number is called."""
        return self._labels[number] if number < len(self._labels) else OTHER

    def renumber(self, to: Codes) -> None:
        """Give rows other numbers."""
        self._pairs.renumber(to)
