"""Cuts a large drain into rounds, so that no message of the stream is longer than a reader accepts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ringtop.bpf.event.batch import Batch

LARGEST = 4 << 20
"""Bytes of events above which a round is cut in two."""


def cut(batches: list[Batch], before_ns: int) -> Iterator[tuple[int, list[Batch]]]:
    """Cut the *batches* (each in time order, all before *before_ns*) into rounds that follow each other in time.

    Yields for each round its edge and its batches. All its events are stamped before the edge, and no event of a later
    round is.
    """
    if sum(map(_size, batches)) <= LARGEST or (edge := _middle(max(batches, key=_size))) is None:
        yield before_ns, batches
        return
    at = [int(b.rows["ts"].searchsorted(np.uint64(edge))) for b in batches]
    yield from cut([b.take(slice(i)).compact() for b, i in zip(batches, at, strict=True)], edge)
    yield from cut([b.take(slice(i, None)).compact() for b, i in zip(batches, at, strict=True)], before_ns)


def _size(batch: Batch) -> int:
    return int(batch.rows.nbytes) + len(batch.tails)


def _middle(batch: Batch) -> int | None:
    """A time near the middle of the batch, with events before it and events not before it; None when all have the same
    time."""
    ts = batch.rows["ts"]
    if ts[0] == ts[-1]:
        return None
    second = ts[ts.searchsorted(ts[0], "right")]
    return int(max(ts[len(ts) // 2], second))
