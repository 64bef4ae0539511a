"""Made-up buffer memory, written as the kernel writes it, and readers of it that are too simple to be wrong.

Nothing here shares code with the readers under test: layouts come from kernel/bpf/ringbuf.c and perf_event.h.
"""

from __future__ import annotations

import mmap
import random
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from ringtop.bpf.common.sizes import PAGE
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import SCHEMAS, Schema
from ringtop.bpf.transport.perfbuf import PerfBuffers
from ringtop.bpf.transport.records import Drained
from ringtop.bpf.transport.ringbuf import RingBuffer

CPUS = 4
PROGRAMS = st.sampled_from(list(SCHEMAS))
BUSY, DISCARDED = 1 << 31, 1 << 30
LOST, SAMPLE = 2, 9


def event(
    schema: Schema, noise: random.Random, texts: Sequence[int], padding: int = 0, cpu: int = 0, lie: int = 0
) -> bytes:
    """An event as a program hands it to a transport: noise, its texts of the lengths given, *padding* behind them.

    A *lie* is text that it says it has and has not (but padding may stand in).
    """
    row = np.frombuffer(noise.randbytes(schema.dtype.itemsize), schema.dtype).copy()
    row["cpu"], row["tail"] = cpu, 0
    for name, length in zip(schema.tail, texts, strict=False):
        row[f"{name}_len"] = length
    if schema.tail:
        row[f"{schema.tail[-1]}_len"] += lie
    return row.tobytes() + noise.randbytes((sum(texts) if schema.tail else 0) + padding)


@dataclass(frozen=True)
class Story:
    """*count* events of one length, one after another."""

    count: int
    texts: tuple[int, int]
    padding: int
    cpu: int
    fate: str
    """``sent``, ``busy`` (reserved, not yet committed) or ``discarded``; perf buffers know only the first."""
    seed: int
    lie: int = 0
    last: tuple[int, int] | None = None
    """CPU and lie of the last one, where it is another."""

    def events(self, schema: Schema) -> Iterator[bytes]:
        noise = random.Random(self.seed)
        texts = self.texts[: len(schema.tail)]
        for i in range(self.count):
            cpu, lie = self.last if self.last and i == self.count - 1 else (self.cpu, self.lie)
            yield event(schema, noise, texts, self.padding, cpu, lie)


SOME_CPUS = (0, 0, 0, 1, CPUS - 1)


def stories(
    fates: Sequence[str] = ("sent",), max_size: int = 12, cpus: Sequence[int] = SOME_CPUS, lies: Sequence[int] = (0,)
) -> st.SearchStrategy[list[Story]]:
    """Few and many events of equal and of different lengths."""
    count = st.one_of(st.integers(1, 4), st.integers(1, 120))
    texts = st.tuples(st.integers(0, 40), st.integers(0, 40))
    padding = st.sampled_from([0, 0, 1, 3, 4, 5, 8, 60])
    cpu, fate, lie = map(st.sampled_from, (cpus, fates, lies))
    last = st.none() | st.tuples(cpu, lie)
    one = st.builds(Story, count, texts, padding, cpu, fate, st.integers(0, 99), lie, last)
    return st.lists(one, max_size=max_size)


@dataclass(frozen=True)
class Taken:
    """What the simple readers say a drain must bring."""

    events: list[bytes] = field(default_factory=list)
    sizes: list[int] = field(default_factory=lambda: [0] * CPUS)
    lost: list[int] = field(default_factory=lambda: [0] * CPUS)
    damaged: int = 0


class Wrapping:
    """A copy of memory where the byte after the last one is the first."""

    def __init__(self, memory: bytes) -> None:
        self.size = len(memory)
        self.twice = memory + memory

    def read(self, at: int, count: int) -> bytes:
        assert count <= self.size
        start = at % self.size
        return self.twice[start : start + count]

    def number(self, at: int, size: int) -> int:
        return int.from_bytes(self.read(at, size), "little")


def wrap(memory: mmap.mmap, size: int, at: int, data: bytes) -> None:
    """Write *data* at position *at* of a buffer of *size* bytes that begins at the second page of *memory*."""
    start = at % size
    first, rest = data[: size - start], data[size - start :]
    memory[PAGE + start : PAGE + start + len(first)] = first
    memory[PAGE : PAGE + len(rest)] = rest


def parts(schema: Schema, payload: bytes) -> tuple[bytes, list[bytes]] | None:
    """The fixed part without its ``tail``, and the texts; None when the texts are longer than the event."""
    fixed = bytearray(payload[: schema.dtype.itemsize])
    _, offset = (schema.dtype.fields or {})["tail"][:2]
    fixed[offset : offset + 4] = bytes(4)
    texts, at = [], len(fixed)
    for name in schema.tail:
        length = int.from_bytes(fixed[(schema.dtype.fields or {})[f"{name}_len"][1] :][:4], "little")
        if at + length > len(payload):
            return None
        texts.append(payload[at : at + length])
        at += length
    return bytes(fixed), texts


def acceptable(schema: Schema, payload: bytes) -> bool:
    """Whether *payload* is an event of one of our CPUs."""
    cpu = int.from_bytes(payload[(schema.dtype.fields or {})["cpu"][1] :][:4], "little")
    return cpu < CPUS and parts(schema, payload) is not None


def cpu_of(schema: Schema, payload: bytes) -> int:
    return int(np.frombuffer(payload[: schema.dtype.itemsize], schema.dtype)["cpu"][0])


def assert_same(schema: Schema, drained: Drained, expected: Taken) -> None:
    """The drain brought exactly what was *expected*: the same events in the same order, their text, every number."""
    batch = drained.batch
    assert len(batch) == len(expected.events)
    halves = [p for payload in expected.events if (p := parts(schema, payload))]
    assert without_tail(batch) == b"".join(fixed for fixed, _ in halves)
    for i, name in enumerate(schema.tail):
        assert batch.text(name) == [texts[i] for _, texts in halves]
    assert drained.bytes.tolist() == expected.sizes
    assert drained.lost.tolist() == expected.lost
    assert drained.damaged == expected.damaged


def without_tail(batch: Batch) -> bytes:
    rows = batch.rows.copy()
    rows["tail"] = 0
    return rows.tobytes()


class Ring:
    """The kernel's side of a ring buffer, on made-up memory, with a reader of ours on it."""

    def __init__(self, schema: Schema, size: int, position: int = 0, noise: int = 0) -> None:
        self.schema, self.size, self.produced = schema, size, position
        self.reader = RingBuffer(schema, size, CPUS)
        self._consumer = mmap.mmap(-1, PAGE)
        self._producer = mmap.mmap(-1, PAGE + 2 * size)
        self.reader.map(self._consumer, self._producer)
        self.write(0, random.Random(noise).randbytes(size))
        self.set(position, position)
        self.starts: list[int] = []
        """Of all records, in order."""
        self.busy: list[int] = []

    @property
    def consumed(self) -> int:
        return int.from_bytes(self._consumer[:8], "little")

    def set(self, consumed: int, produced: int) -> None:
        self._consumer[:8] = consumed.to_bytes(8, "little")
        self._producer[:8] = produced.to_bytes(8, "little")
        self.produced = produced

    def write(self, at: int, data: bytes) -> None:
        """Into the memory at position *at*, which is mapped twice."""
        for i in range(len(data)):
            place = PAGE + (at + i) % self.size
            self._producer[place] = self._producer[place + self.size] = data[i]

    def memory(self) -> Wrapping:
        return Wrapping(self._producer[PAGE : PAGE + self.size])

    def reserve(self, payload: bytes, flags: int) -> bool:
        """False when there is no room for it."""
        step = (8 + len(payload) + 7) // 8 * 8
        if self.produced + step - self.consumed > self.size - 1:  # as the kernel: never quite full
            return False
        self.starts.append(self.produced)
        if flags & BUSY:
            self.busy.append(self.produced)
        self.write(self.produced, struct.pack("<II", len(payload) | flags, 7) + payload)
        self.set(self.consumed, self.produced + step)
        return True

    def nudge(self, record: int, by: int) -> None:
        """Make the length of *record* (any number: they are counted round and round) another by *by*."""
        at = self.starts[record % len(self.starts)]
        self.write(at, struct.pack("<I", (self.memory().number(at, 4) + by) & 0xFFFF_FFFF))

    def commit(self, at: int, discard: bool) -> None:
        self.busy.remove(at)
        length = self.memory().number(at, 4) & ~BUSY
        self.write(at, struct.pack("<I", length | (DISCARDED if discard else 0)))

    def expected(self) -> tuple[Taken, int]:
        """What a drain must bring, one record at a time; and where the consumer must then be."""
        memory, at, end = self.memory(), self.consumed, self.produced
        events: list[bytes] = []
        sizes = [0] * CPUS
        damaged = 0
        if not 0 <= end - at <= self.size or at % 8 or end % 8:
            return Taken(damaged=1), end
        while at < end:
            word = memory.number(at, 4)
            if word & BUSY:
                break
            length = word & ~DISCARDED
            step = (8 + length + 7) // 8 * 8
            if at + step > end or (length < self.schema.dtype.itemsize and not word & DISCARDED):
                damaged, at = damaged + 1, end
                break
            if not word & DISCARDED:
                payload = memory.read(at + 8, length)
                if acceptable(self.schema, payload):
                    events.append(payload)
                    sizes[cpu_of(self.schema, payload)] += step
                else:
                    damaged += 1
            at += step
        return Taken(events, sizes, damaged=damaged), at


class Perf:
    """The kernel's side of perf buffers, on made-up memory, with a reader of ours on it."""

    HEAD, TAIL = 1024, 1032

    def __init__(self, schema: Schema, size: int, position: int = 0, noise: int = 0) -> None:
        self.schema, self.size = schema, size
        self.reader = PerfBuffers(schema, size, CPUS, list(range(CPUS)), (True, 1))
        self.pages = [mmap.mmap(-1, PAGE + size) for _ in range(CPUS)]
        self.starts: list[tuple[int, int]] = []
        """CPU and position of all records, in order."""
        for cpu, pages in enumerate(self.pages):
            self.reader.map(cpu, -1, pages)
            self.write(cpu, 0, random.Random(noise + cpu).randbytes(size))
            self.set(cpu, position, position)

    def _word(self, cpu: int, at: int) -> int:
        return int.from_bytes(self.pages[cpu][at : at + 8], "little")

    def head(self, cpu: int) -> int:
        return self._word(cpu, self.HEAD)

    def tail(self, cpu: int) -> int:
        return self._word(cpu, self.TAIL)

    def set(self, cpu: int, tail: int, head: int) -> None:
        self.pages[cpu][self.HEAD : self.HEAD + 16] = struct.pack("<QQ", head, tail)

    def write(self, cpu: int, at: int, data: bytes) -> None:
        wrap(self.pages[cpu], self.size, at, data)

    def memory(self, cpu: int) -> Wrapping:
        return Wrapping(self.pages[cpu][PAGE:])

    def put(self, cpu: int, kind: int, body: bytes, misc: int = 0) -> bool:
        """False when there is no room for it."""
        head, size = self.head(cpu), 8 + len(body)
        assert size % 8 == 0
        if head + size - self.tail(cpu) > self.size or size > 0xFFFF:
            return False
        self.starts.append((cpu, head))
        self.write(cpu, head, struct.pack("<IHH", kind, misc, size) + body)
        self.set(cpu, self.tail(cpu), head + size)
        return True

    def nudge(self, record: int, by: int) -> None:
        """Make the size of *record* (any number: they are counted round and round) another by *by*."""
        cpu, at = self.starts[record % len(self.starts)]
        self.write(cpu, at + 6, struct.pack("<H", (self.memory(cpu).number(at + 6, 2) + by) & 0xFFFF))

    def sample(self, cpu: int, payload: bytes, misc: int = 0) -> bool:
        """As perf_event_output: u32 size and data, padded so that the record is a multiple of 8."""
        size = (4 + len(payload) + 7) // 8 * 8 - 4
        return self.put(cpu, SAMPLE, struct.pack("<I", size) + payload.ljust(size, b"\0"), misc)

    def lose(self, cpu: int, count: int) -> bool:
        return self.put(cpu, LOST, struct.pack("<QQ", 99, count))

    def expected(self) -> Taken:
        """What a drain must bring, one record at a time."""
        events: list[bytes] = []
        sizes, lost = [0] * CPUS, [0] * CPUS
        damaged = 0
        for cpu in range(CPUS):
            memory, at, end = self.memory(cpu), self.tail(cpu), self.head(cpu)
            if at != end and (not 0 <= end - at <= self.size or at % 8 or end % 8):
                damaged += 1
                continue
            while at < end:
                kind, size = memory.number(at, 4), memory.number(at + 6, 2)
                if size < 8 or size % 8 or at + size > end:
                    damaged += 1
                    break
                if kind == SAMPLE:
                    payload = memory.read(at + 12, max(size - 12, 0))
                    if len(payload) < self.schema.dtype.itemsize:
                        damaged += 1
                        break
                    if acceptable(self.schema, payload):
                        events.append(payload)
                        sizes[cpu_of(self.schema, payload)] += size
                    else:
                        damaged += 1
                elif kind == LOST:
                    if size < 24 or memory.number(at + 16, 8) > 1 << 36:
                        damaged += 1
                        break
                    lost[cpu] += memory.number(at + 16, 8)
                at += size
        return Taken(events, sizes, lost, damaged)
