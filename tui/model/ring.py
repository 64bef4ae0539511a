"""A ring of event rows and a ring of their text: the newest events of one program in a fixed amount of memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.event.batch import Batch, empty, extent
from ringtop.bpf.event.names import UNNAMED, Names
from ringtop.bpf.event.schema import SCHEMAS

OVERHEAD = 8 + 4 + 16
"""Bytes kept for each row beside its layout: its text offset, the events lost before it, its place in a view."""


def row_bytes(program: str) -> int:
    """The memory of an average row of *program*, in bytes."""
    schema = SCHEMAS[program]
    return schema.dtype.itemsize + OVERHEAD + schema.text_bytes


class Ring:
    """Rows are numbered from 0 in the order of arrival; those from ``first`` to ``end`` (exclusive) are resident.

    Their text lies in a separate byte ring, addressed by its offset from the first byte ever written.
    """

    def __init__(self, program: str, budget: int) -> None:
        self.program = program
        self.schema = SCHEMAS[program]
        self.capacity = max(64, budget // row_bytes(program))
        self.first = 0
        self.end = 0
        self._rows = np.empty(self.capacity, self.schema.dtype)
        self._at = np.zeros(self.capacity, np.uint64)
        self._lost = np.zeros(self.capacity, np.uint32)
        self._heap = np.empty(max(1 << 20, self.capacity * self.schema.text_bytes) if self.schema.tail else 0, np.uint8)
        self._heap_end = 0
        self._names: Names = UNNAMED

    def __len__(self) -> int:
        return self.end - self.first

    @property
    def nbytes(self) -> int:
        """The memory in bytes that the ring uses when full."""
        return self._rows.nbytes + self._at.nbytes + self._lost.nbytes + self._heap.nbytes

    def append(self, batch: Batch, lost: NDArray[np.uint32], floor: int | None = None) -> int:
        """Store *batch* and evict the oldest rows, but none from *floor* on. Returns how many rows were stored.

        ``lost`` gives for each row the number of events of its CPU that are missing just before it.
        """
        self._names = batch.names
        done = 0
        step = max(1, self.capacity // 4)
        while done < len(batch):
            took = self._append(batch.take(slice(done, done + step)), lost[done : done + step], floor)
            done += took
            if not took:
                break
        return done

    def _append(self, batch: Batch, lost: NDArray[np.uint32], floor: int | None) -> int:
        rows = batch.copy().rows
        starts, sizes = _extents(batch, rows)
        ends = np.cumsum(sizes)
        # The space that is free once every row before the floor is evicted.
        stays = self.end if floor is None else max(self.first, min(floor, self.end))
        space = len(self._heap) - (self._heap_end - self._heap_start(stays))
        count = min(len(rows), self.capacity - (self.end - stays), int(np.searchsorted(ends, space, side="right")))
        if count <= 0:
            return 0
        rows, starts, sizes, ends = rows[:count], starts[:count], sizes[:count], ends[:count]
        need = int(ends[-1])
        self._evict(count, need)
        slots = np.arange(self.end, self.end + count) % self.capacity
        self._rows[slots] = rows
        self._at[slots] = (self._heap_end + ends - sizes).astype(np.uint64)
        self._lost[slots] = lost[:count]
        if need:
            self._write(_gather(batch.tails, starts, sizes, need))
        self.end += count
        return count

    def _heap_start(self, row: int) -> int:
        """The offset at which the text of *row* begins."""
        return int(self._at[row % self.capacity]) if row < self.end else self._heap_end

    def _evict(self, count: int, need: int) -> None:
        first = max(self.first, self.end + count - self.capacity)
        oldest = self._heap_end + need - len(self._heap)
        if need and first < self.end and self._heap_start(first) < oldest:
            # Text offsets grow with the rows: a binary search over the (at most two) runs of slots.
            low, high = first, self.end
            while low < high:
                middle = (low + high) // 2
                if self._heap_start(middle) < oldest:
                    low = middle + 1
                else:
                    high = middle
            first = low
        self.first = first

    def _write(self, data: NDArray[np.uint8]) -> None:
        size = len(self._heap)
        at = self._heap_end % size
        head = min(len(data), size - at)
        self._heap[at : at + head] = data[:head]
        self._heap[: len(data) - head] = data[head:]
        self._heap_end += len(data)

    def _read(self, start: int, stop: int) -> bytes:
        size = len(self._heap)
        if stop <= start or not size:
            return b""
        a, b = start % size, stop % size
        if a < b:
            return self._heap[a:b].tobytes()
        return self._heap[a:].tobytes() + self._heap[:b].tobytes()

    def slice(self, start: int, stop: int) -> Batch:
        """A copy of the resident rows from number *start* to *stop* (exclusive), with their text."""
        start, stop = max(start, self.first), min(stop, self.end)
        if start >= stop:
            return empty(self.program)
        slots = np.arange(start, stop) % self.capacity
        rows = self._rows[slots]
        if not self.schema.tail:
            return Batch(self.program, rows, b"", self._names)
        base = self._heap_start(start)
        rows["tail"] = (self._at[slots] - np.uint64(base)).astype(np.uint32)
        return Batch(self.program, rows, self._read(base, self._heap_start(stop)), self._names)

    def take(self, numbers: NDArray[np.int64]) -> Batch:
        """A copy of the rows *numbers*, all of which must be resident, in that order, with their text."""
        slots = numbers % self.capacity
        rows = self._rows[slots]
        if not self.schema.tail or not len(rows):
            return Batch(self.program, rows, b"", self._names)
        sizes = np.zeros(len(rows), np.int64)
        for name in self.schema.tail:
            sizes += rows[f"{name}_len"]
        starts = self._at[slots].astype(np.int64)
        ends = np.cumsum(sizes)
        rows["tail"] = (ends - sizes).astype(np.uint32)
        # Few rows (a screenful): one read each. Many: one gather over the heap.
        if len(rows) <= 256:
            parts = [self._read(a, a + n) for a, n in zip(starts.tolist(), sizes.tolist(), strict=True)]
            return Batch(self.program, rows, b"".join(parts), self._names)
        within = np.arange(int(ends[-1])) - np.repeat(ends - sizes, sizes)
        data = self._heap[(np.repeat(starts, sizes) + within) % len(self._heap)]
        return Batch(self.program, rows, data.tobytes(), self._names)

    def column(self, name: str, start: int, stop: int) -> NDArray[np.generic]:
        """A copy of one column of the resident rows from *start* to *stop* (exclusive)."""
        slots = np.arange(max(start, self.first), min(stop, self.end)) % self.capacity
        values: NDArray[np.generic] = self._rows[name][slots]
        return values

    def values(self, name: str, numbers: NDArray[np.int64]) -> NDArray[np.generic]:
        """The values of one column for the rows *numbers*."""
        values: NDArray[np.generic] = self._rows[name][numbers % self.capacity]
        return values

    def prefix(self, numbers: NDArray[np.int64], name: str, width: int) -> NDArray[np.bytes_]:
        """The first *width* bytes of a text field of the rows *numbers*, for sorting."""
        slots = numbers % self.capacity
        before, sizes = extent(self.schema, Batch(self.program, self._rows, b"").take(slots).rows, name)
        starts = self._at[slots].astype(np.int64) + before
        reach = np.arange(width)
        data = self._heap[(starts[:, None] + reach) % len(self._heap)]
        data[reach >= sizes[:, None]] = 0
        text: NDArray[np.bytes_] = data.reshape(-1).view(f"S{width}")
        return text

    def lost(self, numbers: NDArray[np.int64]) -> NDArray[np.uint32]:
        """The number of events missing just before each of the rows *numbers*, on that row's CPU."""
        values: NDArray[np.uint32] = self._lost[numbers % self.capacity]
        return values


def _extents(batch: Batch, rows: NDArray[np.void]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The start and size of each row's text. Lengths in *rows* that reach beyond ``tails`` are cut."""
    start = rows["tail"].astype(np.int64)
    at = np.minimum(start, len(batch.tails))
    total = np.zeros(len(rows), np.int64)
    for name in batch.schema.tail:
        size = np.minimum(rows[f"{name}_len"].astype(np.int64), len(batch.tails) - at)
        rows[f"{name}_len"] = size
        at = at + size
        total += size
    return np.minimum(start, len(batch.tails)), total


def _gather(tails: bytes, starts: NDArray[np.int64], sizes: NDArray[np.int64], need: int) -> NDArray[np.uint8]:
    data = np.frombuffer(tails, np.uint8)
    ends = np.cumsum(sizes)
    offsets = starts - (ends - sizes)
    if (offsets == offsets[0]).all():
        return data[int(starts[0]) : int(starts[0]) + need]
    return data[np.repeat(offsets, sizes) + np.arange(need)]
