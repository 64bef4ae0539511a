"""Histograms of the waits of every row, since the start and by time.

A bucket is the exponent and the highest three mantissa bits of a duration. An octave has eight buckets, so the middle
of a bucket is off by at most 6 %. The 256 buckets go from 1 us to 73 minutes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ringtop.tui.top.cells import Cells
from ringtop.tui.top.groups import Codes, Counts, Groups
from ringtop.tui.top.slots import Slots, by_time

_BITS = 8
_BUCKETS = 1 << _BITS
_MANTISSA = 52 - 3
_LOWEST = (1023 + 10) << 3
"""Exponent and highest three mantissa bits of 2**10 ns as a float64: the first bucket."""
_MOST, _MOST_IN_SLOT = 131_072, 16_384


def buckets(ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """The bucket of each duration in ns, shape (n,)."""
    found = (ns.astype(np.float64).view(np.int64) >> _MANTISSA) - _LOWEST
    kept: NDArray[np.int64] = np.minimum(np.maximum(found, 0), _BUCKETS - 1)
    return kept


def edges() -> NDArray[np.float64]:
    """The lower edge of each bucket and the upper edge of the last, ns; shape (257,)."""
    return (np.arange(_BUCKETS + 1) + _LOWEST << _MANTISSA).view(np.float64)


class Waits:
    """Waits by row and bucket."""

    def __init__(self) -> None:
        self._all = Cells([np.int32], _MOST, _BITS)
        self._slots = Slots(lambda: Cells([np.int32], _MOST_IN_SLOT, _BITS), coarse=True)

    def add(self, rows: Codes, ns: NDArray[np.int64], seconds: Codes, row_count: int) -> None:
        """Count the waits *ns* of *rows* at *seconds*; *row_count* is the number of all rows."""
        codes = (rows << _BITS) | buckets(ns)
        groups = Groups(codes, row_count << _BITS)
        self._all.add(groups.codes, [groups.counts])
        for second, some in by_time(seconds, grain=10):
            if not isinstance(some, slice):
                groups = Groups(codes[some], row_count << _BITS)
            self._slots.advance(second)
            if (slot := self._slots.slot(second)) is not None:
                slot.add(groups.codes, [groups.counts])

    def quantiles(self, shares: tuple[float, ...], row_count: int, since: int | None = None) -> NDArray[np.int64]:
        """The quantiles *shares* of the waits of each row, since the second *since* or since the start, ns; 0 for rows
        without waits. Shape (shares, rows)."""
        cells = self._all
        if since is not None:
            cells = Cells([np.int32], _MOST, _BITS)
            for _, slot in self._slots.between(since, self._slots.now):
                cells.absorb(slot)
        codes, (counts,) = cells.read()
        return _quantiles(codes, counts, shares, row_count)

    def renumber(self, to: Codes) -> None:
        """Give rows new numbers, as ``Cells.renumber`` does."""
        self._all.renumber(to)
        self._slots.renumber(to)


def _quantiles(codes: Codes, counts: Counts, shares: tuple[float, ...], row_count: int) -> NDArray[np.int64]:
    found = np.zeros((len(shares), row_count), np.int64)
    if not len(codes):
        return found
    rows = codes >> _BITS
    middle = (edges()[:-1] + edges()[1:]) / 2
    until = np.cumsum(counts)
    totals = np.bincount(rows, counts, row_count).astype(np.int64)
    before = np.cumsum(totals) - totals
    present = np.flatnonzero(totals)
    for share, out in zip(shares, found, strict=True):
        wanted = before[present] + np.maximum(np.ceil(share * totals[present]), 1)
        at = np.searchsorted(until, wanted)
        out[present] = middle[codes[at] & (_BUCKETS - 1)]
    return found
