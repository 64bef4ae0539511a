"""Reader of perf buffers: one ring for each CPU.

Layout (include/uapi/linux/perf_event.h): a page with the positions, then 2^n pages of data. Records begin with
``struct perf_event_header`` (u32 type, u16 misc, u16 size); PERF_RECORD_SAMPLE holds a u32 size and the event, padded
so that the record is a multiple of 8; PERF_RECORD_LOST holds a u64 id and the u64 number of records that did not fit.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Collection
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.common.sizes import PAGE
from ringtop.bpf.common.transports import Transport
from ringtop.bpf.event.batch import Batch, concat
from ringtop.bpf.event.schema import Schema
from ringtop.bpf.kernel import syscall
from ringtop.bpf.kernel.memory import fence
from ringtop.bpf.transport.records import Drained, Memory, Run, collect, run_length

LOST, SAMPLE = 2, 9
HEADER = 8
RAW_SIZE = 4
MOST_LOST = 1 << 36
"""The largest possible count in one PERF_RECORD_LOST. It keeps the sum of all that a buffer can hold within an
int64."""
_HEAD, _TAIL = 1024 // 8, 1032 // 8  # data_head, data_tail in struct perf_event_mmap_page, in words


def scan(schema: Schema, data: Memory) -> tuple[list[Run], int, int]:
    """Find the samples in *data*, which holds whole records one after another.

    Returns the runs and the numbers of lost and of damaged records. A corrupt length makes the rest untrustworthy; it
    is skipped as one damaged record.
    """
    runs: list[Run] = []
    headers, fixed, lost, at = data.view(np.uint64).data, schema.dtype.itemsize, 0, 0
    while at < len(data):
        word = headers[at // 8]
        kind, size = word & 0xFFFF_FFFF, word >> 48
        if size < HEADER or size % 8 or size > len(data) - at:
            return runs, lost, 1
        count = 1
        if kind == SAMPLE:
            length = size - HEADER - RAW_SIZE
            if length < fixed:
                return runs, lost, 1
            count = run_length(headers, at // 8, size // 8, (len(data) - at) // size)
            runs.append((at + HEADER + RAW_SIZE, count, size, length))
        elif kind == LOST:
            if size < 24 or headers[at // 8 + 2] > MOST_LOST:
                return runs, lost, 1
            lost += headers[at // 8 + 2]
        at += count * size
    return runs, lost, 0


class _Buffer:
    """One CPU's perf buffer: its *fd* and its mapped *pages*."""

    def __init__(self, fd: int, pages: mmap.mmap) -> None:
        self.fd = fd
        self._pages = pages
        self._positions = np.frombuffer(pages, np.uint64, PAGE // 8)
        self._data = np.frombuffer(pages, np.uint8, offset=PAGE)

    def waiting(self) -> int:
        return int(self._positions[_HEAD]) - int(self._positions[_TAIL])

    def drain(self, schema: Schema, cpus: int) -> tuple[Batch, NDArray[np.int64], int, int]:
        """Take everything that waits. Returns the events, the bytes they took by CPU, and the numbers of lost and of
        damaged records."""
        head, tail, size = int(self._positions[_HEAD]), int(self._positions[_TAIL]), len(self._data)
        fence()
        runs: list[Run] = []
        piece, lost, damaged = self._data, 0, 1
        if 0 <= head - tail <= size and not (head | tail) % 8:
            start, end = tail % size, tail % size + head - tail
            piece = self._data[start:end]
            if end > size:
                piece = np.concatenate([piece, self._data[: end - size]])
            runs, lost, damaged = scan(schema, piece)
        batch, taken, left_out = collect(schema, piece, runs, cpus)
        fence()
        self._positions[_TAIL] = head
        return batch, taken, lost, damaged + left_out

    def close(self) -> None:
        del self._positions, self._data
        self._pages.close()
        os.close(self.fd)


class PerfBuffers:
    """A perf buffer of *size* bytes for every online CPU."""

    transport: Transport = "perfbuf"

    def __init__(self, schema: Schema, size: int, cpus: int, online: list[int], wakeup: tuple[bool, int]) -> None:
        self.schema = schema
        self.size = size
        self.cpus = cpus
        """Number of possible CPUs: the length of the per-CPU arrays."""
        self._online = online
        self._wakeup = wakeup
        self._buffers: dict[int, _Buffer] = {}
        self._leaving: list[tuple[int, _Buffer]] = []
        """Buffers, by CPU, that get no more events. They are closed after the next drain."""

    @property
    def capacity(self) -> int:
        """Bytes of data that all buffers hold."""
        return self.size * len(self._online)

    @property
    def memory(self) -> int:
        """Bytes of memory that all buffers take."""
        return len(self._buffers) * (self.size + PAGE)

    def open(self) -> None:
        """Create the buffers. Raises OSError."""
        try:
            for cpu in self._online:
                self._create(cpu)
        except OSError:
            self.close()
            raise

    def _create(self, cpu: int) -> None:
        fd = syscall.perf_open(cpu, *self._wakeup)
        try:
            pages = mmap.mmap(fd, PAGE + self.size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        except OSError:
            os.close(fd)
            raise
        self.map(cpu, fd, pages)

    def map(self, cpu: int, fd: int, pages: mmap.mmap) -> None:
        """Read the buffer of *cpu* from the mapped *pages*: one page with the positions, and the data behind it."""
        self._buffers[cpu] = _Buffer(fd, pages)

    def install(self, map_fd: int) -> None:
        """Put the buffers where the program looks for them: by CPU, in the perf event array *map_fd*. Raises
        OSError."""
        for cpu, buffer in self._buffers.items():
            syscall.map_put(map_fd, cpu, buffer.fd)

    def uninstall(self, map_fd: int) -> None:
        """Remove the buffers from the perf event array *map_fd*."""
        for cpu in self._buffers:
            with suppress(FileNotFoundError):
                syscall.map_delete(map_fd, cpu)

    def follow(self, online: list[int], map_fd: int, dead: Collection[int] = ()) -> None:
        """Create a buffer for each CPU that came; the buffers of CPUs that went are closed after the next drain. CPUs
        that went and came back (*dead*) get new buffers, because the kernel has shut down the old ones. Raises
        OSError."""
        self._online = online
        for cpu in [cpu for cpu in self._buffers if cpu in dead or cpu not in online]:
            with suppress(FileNotFoundError):
                syscall.map_delete(map_fd, cpu)
            self._leaving.append((cpu, self._buffers.pop(cpu)))
        for cpu in [cpu for cpu in online if cpu not in self._buffers]:
            self._create(cpu)
            try:
                syscall.map_put(map_fd, cpu, self._buffers[cpu].fd)
            except OSError:
                self._buffers.pop(cpu).close()  # so that it is tried again
                raise

    def fds(self) -> list[int]:
        """File descriptors that are readable when the kernel wakes the reader."""
        return [b.fd for b in self._buffers.values()]

    def drain(self) -> Drained:
        """Take every record that was finished when the drain began, one CPU after another.

        Impossible positions count as one damaged record; reading resumes at the kernel's position.
        """
        parts = []
        size, lost = np.zeros(self.cpus, np.int64), np.zeros(self.cpus, np.int64)
        damaged = 0
        for cpu, buffer in [*self._leaving, *self._buffers.items()]:
            if not buffer.waiting():
                continue
            batch, taken, gone, bad = buffer.drain(self.schema, self.cpus)
            parts.append(batch)
            size += taken
            lost[cpu] += gone
            damaged += bad
        self._close_leaving()
        return Drained(concat(self.schema.program, parts), size, lost, damaged)

    def _close_leaving(self) -> None:
        for _, buffer in self._leaving:
            buffer.close()
        self._leaving.clear()

    def stats(self) -> int:
        """Bytes that wait now, on all CPUs."""
        return sum(b.waiting() for b in self._buffers.values())

    def close(self) -> None:
        """Unmap and free the buffers."""
        self._close_leaving()
        for buffer in self._buffers.values():
            buffer.close()
        self._buffers.clear()
