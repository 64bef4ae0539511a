"""Many texts in one buffer, which are searched all at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]
"""Offsets, shape (n,)."""

_BACK = 32
"""Bytes that are searched in one step, from the end of a text."""


class Text:
    """A buffer that holds many texts; offsets name where each begins and ends."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._bytes = np.frombuffer(raw, np.uint8)
        self._places: dict[bytes, Places] = {}
        self._others: Places | None = None

    def blocks(self, start: Places, width: int) -> NDArray[np.uint8]:
        """A copy of the *width* bytes from each *start* on, shape (n, width); bytes outside the buffer are 0."""
        last = len(self.raw) - width
        if last >= 0:
            found = self._inside(np.minimum(np.maximum(start, 0), last), width)
        else:
            found = np.zeros((len(start), width), np.uint8)
        (outside,) = ((start < 0) | (start > last)).nonzero()
        if len(outside):  # few: those at the ends of the buffer
            at = start[outside, None] + np.arange(width)
            there = (at >= 0) & (at < len(self.raw))
            found[outside] = np.where(there, self._bytes[np.where(there, at, 0)], 0) if len(self.raw) else 0
        return found

    def byte(self, at: Places) -> NDArray[np.uint8]:
        """The byte at each place, shape (n,); 0 outside the buffer."""
        return self.blocks(at, 1)[:, 0]

    def places(self, byte: bytes) -> Places:
        """All offsets of *byte*, in ascending order."""
        if byte not in self._places:
            self._places[byte] = np.flatnonzero(self._bytes == byte[0])
        return self._places[byte]

    def first(self, byte: bytes, start: Places, end: Places, skip: int = 0) -> Places:
        """The first offset of *byte* from *start* on, after *skip* others; *end* when there is none before it."""
        places = self.places(byte)
        if not len(places):
            return end
        at = np.searchsorted(places, start) + skip
        found = places[np.minimum(at, len(places) - 1)]
        return np.where((at < len(places)) & (found < end), found, end)

    def first_not_lower(self, start: Places, end: Places) -> Places:
        """The first offset from *start* on of a byte other than a to z; *end* when there is none before it."""
        if self._others is None:
            code = self._bytes
            self._others = np.append(np.flatnonzero((code < ord("a")) | (code > ord("z"))), len(code))
        at = np.minimum(np.searchsorted(self._others, start), len(self._others) - 1)
        return np.minimum(self._others[at], end)

    def last(self, byte: bytes, start: Places, end: Places) -> Places:
        """The last offset of *byte* between *start* and *end* (exclusive); *start* - 1 when there is none."""
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
        # A view with a block at every offset, so that NumPy copies whole blocks.
        every = np.ndarray((len(self.raw) - width + 1,), f"V{width}", self.raw, strides=(1,))
        return every[start].view(np.uint8).reshape(-1, width)
