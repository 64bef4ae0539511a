"""Reader of the BPF ring buffer: one ring for all CPUs.

Layout (kernel/bpf/ringbuf.c): the consumer's page, the producer's page, then the data mapped twice in a row, so that a
record that wraps is still in one piece. Positions only grow. A record's header is a u32 length, whose bit 31 means
"being written" and bit 30 "discarded", and a u32 for the kernel's own use. A record takes ``round_up(8 + length, 8)``
bytes.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Collection

import numpy as np

from ringtop.bpf.common.sizes import PAGE
from ringtop.bpf.common.transports import Transport
from ringtop.bpf.event.schema import Schema
from ringtop.bpf.kernel import syscall
from ringtop.bpf.kernel.memory import fence
from ringtop.bpf.transport.records import Drained, Memory, Run, collect, run_length

HEADER = 8
BUSY = 1 << 31
DISCARDED = 1 << 30


def scan(schema: Schema, data: Memory, start: int, end: int) -> tuple[list[Run], int, int]:
    """Find the finished records between byte offsets *start* and *end* of the doubly mapped *data*.

    Returns the runs, the offset of the first record that is still being written (or *end*), and the number of damaged
    records. A corrupt length makes the rest up to *end* untrustworthy; it is skipped as one damaged record.
    """
    runs: list[Run] = []
    headers, fixed, at = data.view(np.uint32).data, schema.dtype.itemsize, start
    while at < end:
        word = headers[at // 4]
        if word & BUSY:
            break
        length = word & ~DISCARDED
        stride = (HEADER + length + 7) & ~7
        if stride > end - at or (length < fixed and not word & DISCARDED):
            return runs, end, 1
        count = run_length(headers, at // 4, stride // 4, (end - at) // stride)
        if not word & DISCARDED:
            runs.append((at + HEADER, count, stride, length))
        at += count * stride
    return runs, at, 0


class RingBuffer:
    """A ring buffer map of *size* bytes and its mapping."""

    transport: Transport = "ringbuf"

    def __init__(self, schema: Schema, size: int, cpus: int) -> None:
        self.schema = schema
        self.size = size
        self.capacity = size
        self.cpus = cpus
        """Number of possible CPUs: the length of the per-CPU arrays."""
        self.memory = size + 2 * PAGE

    def open(self) -> None:
        """Create the ring. Raises OSError."""
        self.fd = syscall.map_create(syscall.MAP_TYPE_RINGBUF, self.size, name=b"ringtop")
        try:
            self.map(
                mmap.mmap(self.fd, PAGE, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE, offset=0),
                mmap.mmap(self.fd, PAGE + 2 * self.size, mmap.MAP_SHARED, mmap.PROT_READ, offset=PAGE),
            )
        except OSError:
            os.close(self.fd)
            raise

    def install(self, map_fd: int) -> None:
        """Put the ring where the program looks for it: element 0 of the array of maps *map_fd*. An event uses the ring
        that it finds there. The kernel returns once no event that found the previous ring is still being written.
        Raises OSError."""
        syscall.map_put(map_fd, 0, self.fd)

    def uninstall(self, map_fd: int) -> None:
        """Remove the ring from the array of maps *map_fd*. Raises OSError."""
        syscall.map_delete(map_fd, 0)

    def follow(self, online: list[int], map_fd: int, dead: Collection[int] = ()) -> None:
        """Does nothing: one ring serves all CPUs."""

    def map(self, consumer: mmap.mmap, producer: mmap.mmap) -> None:
        """Read from mapped memory: the *consumer*'s page, and the *producer*'s page with the data twice behind it."""
        self._pages = consumer, producer
        self._consumer = np.frombuffer(consumer, np.uint64, 1)
        self._producer = np.frombuffer(producer, np.uint64, 1)
        self._data = np.frombuffer(producer, np.uint8, 2 * self.size, PAGE)

    def fds(self) -> list[int]:
        """File descriptors that are readable when the kernel wakes the reader."""
        return [self.fd]

    def drain(self) -> Drained:
        """Take every record that was finished when the drain began.

        Impossible positions count as one damaged record; reading resumes at the producer's position.
        """
        consumed, produced = int(self._consumer[0]), int(self._producer[0])
        fence()
        runs: list[Run] = []
        start, stop, damaged = 0, produced - consumed, 1
        if 0 <= stop <= self.size and not (consumed | produced) % 8:
            start = consumed % self.size
            runs, stop, damaged = scan(self.schema, self._data, start, start + stop)
        batch, size, left_out = collect(self.schema, self._data, runs, self.cpus)
        fence()
        self._consumer[0] = consumed + stop - start
        return Drained(batch, size, np.zeros(self.cpus, np.int64), damaged + left_out)

    def stats(self) -> int:
        """Bytes that wait now."""
        return int(self._producer[0]) - int(self._consumer[0])

    def close(self) -> None:
        """Unmap and free the ring."""
        del self._consumer, self._producer, self._data
        for pages in self._pages:
            pages.close()
        os.close(self.fd)
