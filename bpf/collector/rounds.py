"""Cuts a large drain into rounds, so that no message of the stream is longer than a reader takes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ringtop.bpf.event.batch import Batch

LARGEST = 16 << 20
"""About how many bytes of events go into a round."""


def cut(batches: list[Batch], before_ns: int) -> Iterator[tuple[int, list[Batch]]]:
    """The *batches* (each in time order, all before *before_ns*) as rounds that follow each other in time.

    Yields for each the time that all its events, and none of the later rounds', are before; and its batches.
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
    """A time near its middle with events before and not before it; None when all have one time."""
    ts = batch.rows["ts"]
    if ts[0] == ts[-1]:
        return None
    second = ts[ts.searchsorted(ts[0], "right")]
    return int(max(ts[len(ts) // 2], second))
