"""Cuts a large drain into rounds, so that no message of the stream is longer than a reader takes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ringtop.bpf.batch import Batch

LARGEST = 16 << 20
"""About how many bytes of events go into a round."""


def cut(batches: list[Batch], before_ns: int) -> Iterator[tuple[int, list[Batch]]]:
    """The *batches* (each in time order, all before *before_ns*) as rounds that follow each other in time.

    Yields for each the time that all its events, and none of the later rounds', are before; and its batches.
    """
    size = sum(b.rows.nbytes + len(b.tails) for b in batches)
    if size <= LARGEST:
        yield before_ns, batches
        return
    longest = max(batches, key=len).rows["ts"]
    pieces = size // LARGEST + 1
    edges = sorted({int(longest[i * len(longest) // pieces]) for i in range(1, pieces)} | {before_ns})
    starts = [0] * len(batches)
    for edge in edges:
        stops = [int(np.searchsorted(b.rows["ts"], edge)) for b in batches]
        yield edge, [b.take(slice(i, j)).compact() for b, i, j in zip(batches, starts, stops, strict=True)]
        starts = stops
