"""The histogram of all waits for a CPU, as runqslower counts them in the kernel (``struct waits`` of its source)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

PER_OCTAVE = 8
"""Buckets of equal width that each power of two is divided into."""
BUCKETS = 256
_SHORTEST = 6
_MOST = 1 << 53


def _edges() -> NDArray[np.int64]:
    octaves = np.arange(BUCKETS // PER_OCTAVE, dtype=np.int64)
    eighths = np.arange(PER_OCTAVE, 2 * PER_OCTAVE, dtype=np.int64)
    return ((eighths << octaves[:, np.newaxis]) << (_SHORTEST - 3)).ravel()


EDGES = _edges()
"""The least nanoseconds of each bucket. The first bucket has all shorter waits, too, and the last one all longer waits.
Shape (BUCKETS,), int64."""


def every_bucket(counts: Sequence[int]) -> NDArray[np.int64]:
    """The counts of the first buckets, followed by 0 for the others. Counts that no machine reaches, as in a damaged
    recording, are limited. Shape (BUCKETS,)."""
    sane = [min(max(count, 0), _MOST) for count in counts]
    return np.array(sane + [0] * (BUCKETS - len(sane)), np.int64)


def percentile(counts: NDArray[np.int64], of_100: float) -> int:
    """The nanoseconds that *of_100* percent of the waits were shorter than or equal to: the upper edge of the bucket
    that holds it, so at most an eighth too much. 0 where there are no waits. *counts* has shape (BUCKETS,)."""
    total = int(counts.sum())
    if not total:
        return 0
    bucket = int(np.searchsorted(np.cumsum(counts), max(np.ceil(total * of_100 / 100), 1)))
    return int(EDGES[min(bucket + 1, BUCKETS - 1)])


def by_octave(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The waits of each power of two, from 64 ns on. Shape (BUCKETS / PER_OCTAVE,)."""
    octaves: NDArray[np.int64] = counts.reshape(-1, PER_OCTAVE).sum(axis=1)
    return octaves
