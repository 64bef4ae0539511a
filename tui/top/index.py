"""A hash table from keys to rows that looks up a whole batch at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ringtop.tui.top.hashing import Hashes

Rows = NDArray[np.int64]
_LEAST = 1 << 10
_LOAD = 0.4


class Index:
    """Keys are numbered from 0 in the order they are added. A key is a hash and never 0. The table uses open addressing
    with linear probing."""

    def __init__(self) -> None:
        self._keys = np.zeros(_LEAST, np.uint64)
        self._rows = np.zeros(_LEAST, np.int32)
        self.count = 0

    def find(self, keys: Hashes) -> Rows:
        """The number of each key, -1 for keys without one; shape (n,)."""
        slots = self._slots(keys)
        found = self._keys[slots]
        rows = np.where(found == keys, self._rows[slots], -1).astype(np.int64)
        todo = np.flatnonzero((found != keys) & (found != 0))
        while len(todo):
            slots[todo] = (slots[todo] + 1) % len(self._keys)
            found = self._keys[slots[todo]]
            hit = found == keys[todo]
            rows[todo[hit]] = self._rows[slots[todo[hit]]]
            todo = todo[~hit & (found != 0)]
        return rows

    def add(self, keys: Hashes) -> None:
        """Give the next numbers to *keys*, which must be distinct and without a number."""
        if (self.count + len(keys)) > _LOAD * len(self._keys):
            self._grow(self.count + len(keys))
        self._put(keys, np.arange(self.count, self.count + len(keys)))
        self.count += len(keys)

    def fill(self, keys: Hashes, rows: Rows) -> NDArray[np.intp]:
        """Number the *keys* that have no number yet, in the order they come, and complete *rows*, the result of
        ``find``. Returns the first position of each new key."""
        missing = np.flatnonzero(rows < 0)
        if not len(missing):
            return missing
        _, first = np.unique(keys[missing], return_index=True)
        new = missing[np.sort(first)]
        self.add(keys[new])
        rows[missing] = self.find(keys[missing])
        return new

    def clear(self) -> None:
        """Remove all keys."""
        self.__init__()  # type: ignore[misc]

    def _slots(self, keys: Hashes) -> NDArray[np.int64]:
        return (keys & np.uint64(len(self._keys) - 1)).view(np.int64)

    def _grow(self, count: int) -> None:
        used = self._keys != 0
        keys, rows = self._keys[used], self._rows[used]
        size = 1 << int(count / _LOAD).bit_length()
        self._keys, self._rows = np.zeros(size, np.uint64), np.zeros(size, np.int32)
        self._put(keys, rows)

    def _put(self, keys: Hashes, rows: NDArray[np.integer]) -> None:
        slots = self._slots(keys)
        todo = np.arange(len(keys))
        while len(todo):
            at = slots[todo]
            free = self._keys[at] == 0
            self._keys[at[free]] = keys[todo[free]]  # one of several keys for the same slot gets it
            got = self._keys[at] == keys[todo]
            self._rows[at[got]] = rows[todo[got]]
            todo = todo[~got]
            slots[todo] = (slots[todo] + 1) % len(self._keys)
