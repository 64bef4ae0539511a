"""The perf buffer reader on made-up memory, against a reader that takes one record at a time."""

from __future__ import annotations

import os
import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.common.sizes import PAGE
from ringtop.bpf.event.schema import RUNQSLOWER, SCHEMAS
from ringtop.bpf.kernel import syscall
from ringtop.bpf.transport.perfbuf import PerfBuffers
from tests.bpf.transport.memory import (
    CPUS,
    LOST,
    PROGRAMS,
    SAMPLE,
    SOME_CPUS,
    Perf,
    Story,
    assert_same,
    event,
    parts,
    stories,
    without_tail,
)

POSITIONS = st.one_of(st.just(0), st.integers(0, 1 << 14), st.integers((1 << 63) - 9000, (1 << 63) + 9000)).map(
    lambda p: p // 8 * 8
)
SIZES = st.sampled_from([1 << 10, 1 << 12, 1 << 14])


def drain_and_compare(perf: Perf) -> bytes:
    """One drain, equal to the model's; the fixed parts it brought."""
    expected = perf.expected()
    heads = [perf.head(cpu) for cpu in range(CPUS)]
    assert perf.reader.stats() == sum(heads) - sum(perf.tail(cpu) for cpu in range(CPUS))
    drained = perf.reader.drain()
    assert_same(perf.schema, drained, expected)
    assert [perf.tail(cpu) for cpu in range(CPUS)] == heads
    assert perf.reader.stats() == 0
    return without_tail(drained.batch)


SOME_CPU = st.sampled_from(SOME_CPUS)
OTHERS = st.one_of(
    st.tuples(st.just("lost"), SOME_CPU, st.integers(0, 1 << 36)),
    # A record type of another kernel, its body anything.
    st.tuples(st.sampled_from([0, 3, 10, 0xFFFF_FFFF]), SOME_CPU, st.integers(0, 9)),
)


@given(
    PROGRAMS,
    SIZES,
    POSITIONS,
    st.lists(st.lists(st.one_of(stories(max_size=2), OTHERS), max_size=6), max_size=5),
    st.integers(0, 99),
)
def test_every_event_once_and_in_order(program: str, size: int, start: int, rounds: list, seed: int) -> None:
    schema = SCHEMAS[program]
    perf = Perf(schema, size, start, seed)
    sent: dict[int, list[bytes]] = {cpu: [] for cpu in range(CPUS)}
    for round_ in rounds:
        lost = [0] * CPUS
        before = {cpu: len(sent[cpu]) for cpu in sent}
        for step in round_:
            if isinstance(step, tuple):
                what, cpu, number = step
                if what != "lost":
                    perf.put(cpu, what, random.Random(number).randbytes(8 * number), misc=number)
                elif perf.lose(cpu, number):
                    lost[cpu] += number
                continue
            for story in step:
                for payload in story.events(schema):
                    if perf.sample(story.cpu, payload, misc=story.seed % 2):
                        sent[story.cpu].append(payload)
        now = [payload for cpu in sent for payload in sent[cpu][before[cpu] :]]
        assert perf.expected().lost == lost
        assert drain_and_compare(perf) == b"".join(p[0] for payload in now if (p := parts(schema, payload)))


@given(
    PROGRAMS,
    SIZES,
    POSITIONS,
    stories(),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1 << 14), st.binary(min_size=1, max_size=8)), max_size=6),
    st.integers(0, 99),
)
def test_damage_is_counted_and_survived(
    program: str, size: int, start: int, plan: list[Story], damage: list[tuple[int, int, bytes]], seed: int
) -> None:
    schema = SCHEMAS[program]
    both = [Perf(schema, size, start, noise) for noise in (seed, seed + 1)]  # only what does not wait differs
    for perf in both:
        for story in plan:
            for payload in story.events(schema):
                perf.sample(story.cpu, payload)
            perf.lose(story.cpu, story.seed)
        for cpu, offset, garbage in damage:
            if waiting := perf.head(cpu) - perf.tail(cpu):
                at = offset % waiting
                perf.write(cpu, perf.tail(cpu) + at, garbage[: waiting - at])
    assert drain_and_compare(both[0]) == drain_and_compare(both[1])
    fresh = event(schema, random.Random(seed), (3, 4)[: len(schema.tail)], cpu=1)
    assert both[0].sample(2, fresh)
    assert len(drain_and_compare(both[0])) == schema.dtype.itemsize


@given(
    PROGRAMS,
    SIZES,
    POSITIONS,
    stories(),
    st.lists(st.tuples(st.integers(0, 99), st.one_of(st.sampled_from([-8, 8]), st.integers(-20, 20))), max_size=2),
    st.one_of(st.integers(0, 30), st.integers(0, 2000)),
)
def test_lengths_and_ends_that_are_nearly_right(
    program: str, size: int, start: int, plan: list[Story], nudges: list[tuple[int, int]], cut: int
) -> None:
    """What lies behind the end looks like records; it is none until the kernel says so."""
    schema = SCHEMAS[program]
    perf = Perf(schema, size, start)
    for story in plan:
        for payload in story.events(schema):
            perf.sample(story.cpu, payload)
        perf.lose(story.cpu, 5)
    if perf.starts:
        for record, by in nudges:
            perf.nudge(record, by)
        for cpu in range(CPUS):
            perf.set(cpu, start, max(perf.head(cpu) - 8 * cut, start))
    drain_and_compare(perf)


@given(
    PROGRAMS,
    SIZES,
    POSITIONS,
    st.lists(st.integers(0, 1 << 11), min_size=CPUS, max_size=CPUS),
    st.lists(
        st.tuples(
            st.integers(0, CPUS - 1),
            st.one_of(st.sampled_from([SAMPLE, SAMPLE, LOST, 0, 1]), st.integers(0, 0xFFFF_FFFF)),
            st.one_of(st.sampled_from([0, 7, 8, 16, 24, 112, 116, 120]), st.integers(0, 0xFFFF)),
        ),
        max_size=24,
    ),
    st.integers(0, 99),
)
def test_noise(
    program: str, size: int, start: int, waiting: list[int], headers: list[tuple[int, int, int]], seed: int
) -> None:
    """Memory of nothing but noise, and of noise with headers that could be."""
    perf = Perf(SCHEMAS[program], size, start, seed)
    at = [start] * CPUS
    for cpu, kind, length in headers:
        perf.write(cpu, at[cpu], struct.pack("<IHH", kind, 0, length))
        if kind == LOST:
            perf.write(cpu, at[cpu] + 16, struct.pack("<Q", length << (seed % 30)))
        at[cpu] += max(length // 8 * 8, 8)
    for cpu in range(CPUS):
        perf.set(cpu, start, start + min(waiting[cpu] * 8, size))
    drain_and_compare(perf)


@given(st.integers(0, (1 << 64) - 1), st.integers(0, (1 << 64) - 1), st.integers(-70, 70), st.booleans())
def test_positions_that_cannot_be(tail: int, head: int, near: int, nearly: bool) -> None:
    perf = Perf(RUNQSLOWER, 1 << 10)
    if nearly:
        head = min(max(tail + (1 << 10) + near, 0), (1 << 64) - 1)
    perf.set(1, tail, head)
    drain_and_compare(perf)
    perf.set(1, perf.tail(1), 1 << 40)  # the kernel is itself again
    perf.reader.drain()
    assert perf.sample(1, event(RUNQSLOWER, random.Random(1), ()))
    assert len(drain_and_compare(perf)) == RUNQSLOWER.dtype.itemsize


@pytest.mark.parametrize("body", [b"", bytes(8)])
def test_a_lost_record_without_a_count_is_damage(body: bytes) -> None:
    perf = Perf(RUNQSLOWER, 1 << 12)
    assert perf.lose(0, 5)
    assert perf.put(0, LOST, body)
    assert perf.lose(0, 7)  # what its count would be, were it one
    drained = perf.reader.drain()
    assert drained.lost.tolist() == [5, 0, 0, 0]
    assert drained.damaged == 1


def test_a_lost_count_that_cannot_be_is_damage() -> None:
    perf = Perf(RUNQSLOWER, 1 << 12)
    for count in (5, (1 << 36) + 1, 7):
        assert perf.lose(0, count)
    assert perf.lose(1, 1 << 36)
    drained = perf.reader.drain()
    assert drained.lost.tolist() == [5, 1 << 36, 0, 0]
    assert drained.damaged == 1


class Kernel:
    """Stands in for the system calls: a buffer is a file in memory."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, size: int, refuse: str = "") -> None:
        self.size, self.refuse = size, refuse
        self.opened: dict[int, tuple[int, bool, int]] = {}
        self.told: list[tuple[int, int, bytes]] = []
        monkeypatch.setattr(syscall, "perf_open", self.perf_open)
        monkeypatch.setattr(syscall, "map_update", self.map_update)

    def perf_open(self, cpu: int, watermark: bool, wakeup: int) -> int:
        if self.refuse == "open" and self.opened:
            raise OSError(1, "refused")
        if self.refuse == "map" and self.opened:
            fd = os.open(os.devnull, os.O_RDWR)
        else:
            fd = os.memfd_create("perf")
            os.ftruncate(fd, PAGE + self.size)
        self.opened[fd] = cpu, watermark, wakeup
        return fd

    def map_update(self, fd: int, key: int, value: bytes) -> None:
        if self.refuse == "update" and self.told:
            raise OSError(1, "refused")
        self.told.append((fd, key, value))

    def still_open(self) -> list[int]:
        alive = []
        for fd in self.opened:
            try:
                os.fstat(fd)
                alive.append(fd)
            except OSError:
                pass
        return alive


def test_open_maps_a_buffer_for_every_cpu_and_close_gives_them_back(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(monkeypatch, 1 << 12)
    reader = PerfBuffers(RUNQSLOWER, 1 << 12, CPUS, [0, 2], (False, 5))
    assert reader.capacity == 2 << 12
    reader.open()
    reader.install(88)
    assert list(kernel.opened.values()) == [(0, False, 5), (2, False, 5)]
    fds = reader.fds()
    assert kernel.told == [(88, cpu, fd.to_bytes(4, "little")) for cpu, fd in zip((0, 2), fds, strict=True)]
    payload = event(RUNQSLOWER, random.Random(0), (), cpu=2)
    record = struct.pack("<IHHI", SAMPLE, 0, 12 + len(payload) + 4, len(payload) + 4) + payload + bytes(4)
    os.pwrite(fds[1], record, PAGE)
    os.pwrite(fds[1], len(record).to_bytes(8, "little"), Perf.HEAD)
    drained = reader.drain()
    assert drained.batch.rows.tobytes() == payload
    assert drained.bytes.tolist() == [0, 0, len(record), 0]
    assert int.from_bytes(os.pread(fds[1], 8, Perf.TAIL), "little") == len(record)
    reader.close()
    assert kernel.still_open() == []
    assert reader.fds() == []


def test_buffers_follow_the_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(monkeypatch, 1 << 12)
    gone: list[tuple[int, int]] = []
    monkeypatch.setattr(syscall, "map_delete", lambda fd, cpu: gone.append((fd, cpu)))
    reader = PerfBuffers(RUNQSLOWER, 1 << 12, CPUS, [0, 1], (True, 1))
    reader.open()
    reader.install(88)
    first, second = reader.fds()
    payload = event(RUNQSLOWER, random.Random(0), (), cpu=1)
    record = struct.pack("<IHHI", SAMPLE, 0, 12 + len(payload) + 4, len(payload) + 4) + payload + bytes(4)
    os.pwrite(second, record, PAGE)
    os.pwrite(second, len(record).to_bytes(8, "little"), Perf.HEAD)
    reader.follow([0, 3], 88)
    assert gone == [(88, 1)]
    assert kernel.told[-1][:2] == (88, 3)
    assert len(reader.fds()) == 2
    assert first in reader.fds()
    assert second not in reader.fds()
    assert reader.drain().batch.rows.tobytes() == payload, "what a CPU left behind is read"
    assert second not in kernel.still_open()
    assert reader.capacity == 2 << 12
    reader.follow([0, 1, 3], 88)
    assert kernel.told[-1][:2] == (88, 1), "a CPU that comes back has a new buffer"
    assert not len(reader.drain().batch)
    reader.follow([0, 3], 88)
    reader.follow([0, 1, 3], 88)
    assert kernel.told[-1][:2] == (88, 1), "even when nothing was read while it was gone"
    first = reader.fds()[0]
    reader.follow([0, 1, 3], 88, {0})
    assert kernel.told[-1][:2] == (88, 0), "or when nobody saw it go"
    assert first not in reader.fds()
    assert len(reader.fds()) == 3
    reader.drain()
    assert first not in kernel.still_open()
    reader.close()
    assert kernel.still_open() == []


def test_a_cpu_whose_buffer_was_refused_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(monkeypatch, 1 << 12)
    reader = PerfBuffers(RUNQSLOWER, 1 << 12, CPUS, [0], (True, 1))
    reader.open()
    reader.install(88)
    kernel.refuse = "update"
    with pytest.raises(OSError, match="refused"):
        reader.follow([0, 1], 88)
    assert len(kernel.still_open()) == 1
    kernel.refuse = ""
    reader.follow([0, 1], 88)
    assert kernel.told[-1][:2] == (88, 1)
    reader.close()


@pytest.mark.parametrize("refuse", ["open", "map", "update"])
def test_a_refusal_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch, refuse: str) -> None:
    kernel = Kernel(monkeypatch, 1 << 12, refuse)
    reader = PerfBuffers(RUNQSLOWER, 1 << 12, CPUS, [0, 1, 2], (True, 1 << 11))
    with pytest.raises(OSError):
        reader.open()
        reader.install(88)
    if refuse == "update":
        reader.close()  # it can still be installed elsewhere, or closed
    assert kernel.still_open() == []
    assert reader.fds() == []
