"""Many texts in one piece of memory, searched all at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]
"""Offsets, shape (n,)."""

_BACK = 32
"""Bytes that are searched in one go, from the end of a text."""


class Text:
    """Bytes that many texts lie in."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._bytes = np.frombuffer(raw, np.uint8)
        self._places: dict[bytes, Places] = {}
        self._others: Places | None = None

    def blocks(self, start: Places, width: int) -> NDArray[np.uint8]:
        """The *width* bytes from each *start* on, shape (n, width), zeros where there are none. A copy."""
        last = len(self.raw) - width
        if len(start) and last >= 0 and start.min() >= 0 and start.max() <= last:
            return self._inside(start, width)
        found = np.zeros((len(start), width), np.uint8)
        inside = (start >= 0) & (start <= last)
        if inside.any():
            found[inside] = self._inside(start[inside], width)
        at = start[~inside, None] + np.arange(width)
        there = (at >= 0) & (at < len(self.raw))
        if there.any():
            found[~inside] = np.where(there, self._bytes[np.where(there, at, 0)], 0)
        return found

    def byte(self, at: Places) -> NDArray[np.uint8]:
        """The byte at each place; 0 where there is none."""
        return self.blocks(at, 1)[:, 0]

    def places(self, byte: bytes) -> Places:
        """Where *byte* stands, in order."""
        if byte not in self._places:
            self._places[byte] = np.flatnonzero(self._bytes == byte[0])
        return self._places[byte]

    def first(self, byte: bytes, start: Places, end: Places, skip: int = 0) -> Places:
        """Where *byte* stands first from *start* on, or after *skip* others; *end* where it does not before that."""
        places = self.places(byte)
        if not len(places):
            return end
        at = np.searchsorted(places, start) + skip
        found = places[np.minimum(at, len(places) - 1)]
        return np.where((at < len(places)) & (found < end), found, end)

    def first_not_lower(self, start: Places, end: Places) -> Places:
        """Where the first byte stands from *start* on that is no small letter; *end* where it is not before that."""
        if self._others is None:
            code = self._bytes
            self._others = np.append(np.flatnonzero((code < ord("a")) | (code > ord("z"))), len(code))
        at = np.minimum(np.searchsorted(self._others, start), len(self._others) - 1)
        return np.minimum(self._others[at], end)

    def last(self, byte: bytes, start: Places, end: Places) -> Places:
        """Where *byte* stands last between *start* and *end* (exclusive); before *start* where it does not."""
        found = start - 1
        rows: slice | NDArray[np.int64] = slice(None)
        while len(end):
            hits = self.blocks(end - _BACK, _BACK) == byte[0]
            bits = np.packbits(hits, axis=1, bitorder="little").view("<u4").reshape(-1)
            # The exponent of a number is the place of its highest bit.
            at = end - _BACK - 1 + np.frexp(bits.astype(np.float64))[1]
            hit = bits != 0
            found[rows] = np.where(hit & (at >= start), at, found[rows])
            left = np.flatnonzero(~hit & (end - _BACK > start))
            rows = left if isinstance(rows, slice) else rows[left]
            start, end = start[left], end[left] - _BACK
        return found

    def _inside(self, start: Places, width: int) -> NDArray[np.uint8]:
        # Every place as the beginning of a block, which is copied as a whole.
        every = np.ndarray((len(self.raw) - width + 1,), f"V{width}", self.raw, strides=(1,))
        return every[start].view(np.uint8).reshape(-1, width)
