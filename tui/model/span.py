"""The lines of a view: a sorted array of integers that grows at both ends and is evicted from the front."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.int64]


class Span:
    """Ascending 64-bit integers."""

    def __init__(self) -> None:
        self._data: Keys = np.empty(1024, np.int64)
        self._head = 512
        self._tail = 512

    def __len__(self) -> int:
        return self._tail - self._head

    @property
    def values(self) -> Keys:
        """All values as an array view, valid until the next change; int64, ascending."""
        return self._data[self._head : self._tail]

    def clear(self) -> None:
        """Remove all values."""
        self._head = self._tail = len(self._data) // 2

    def append(self, keys: Keys) -> None:
        """Add *keys* at the end; each must be above all values present."""
        if self._tail + len(keys) > len(self._data):
            self._move(len(keys), at_end=True)
        self._data[self._tail : self._tail + len(keys)] = keys
        self._tail += len(keys)

    def prepend(self, keys: Keys) -> None:
        """Add *keys* at the front; each must be below all values present."""
        if len(keys) > self._head:
            self._move(len(keys), at_end=False)
        self._data[self._head - len(keys) : self._head] = keys
        self._head -= len(keys)

    def insert(self, at: int, key: int) -> None:
        """Insert *key* at the position *at*; the caller makes sure that the order holds."""
        values = np.insert(self.values, at, key)
        self._tail = self._head
        self.append(values)

    def pop(self) -> None:
        """Remove the last value."""
        self._tail -= 1

    def drop_before(self, key: int) -> int:
        """Remove the values below *key*; returns their number."""
        gone = int(np.searchsorted(self.values, key))
        self._head += gone
        return gone

    def find(self, key: int) -> int:
        """The position of the first value that is not below *key*."""
        return int(np.searchsorted(self.values, key))

    def _move(self, extra: int, at_end: bool) -> None:
        size = len(self)
        spare = max(1024, size // 2)
        data = np.empty(size + extra + 2 * spare, np.int64)
        head = spare if at_end else spare + extra
        data[head : head + size] = self.values
        self._data, self._head, self._tail = data, head, head + size
