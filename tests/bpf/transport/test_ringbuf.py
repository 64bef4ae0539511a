"""The ring buffer reader on made-up memory, against a reader that takes one record at a time."""

from __future__ import annotations

import mmap
import os
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.common.sizes import PAGE
from ringtop.bpf.event.schema import EXECSNOOP, RUNQSLOWER, SCHEMAS, Schema
from ringtop.bpf.kernel import syscall
from ringtop.bpf.transport import ringbuf
from ringtop.bpf.transport.ringbuf import RingBuffer
from tests.bpf.transport.memory import (
    BUSY,
    DISCARDED,
    PROGRAMS,
    Ring,
    Story,
    Taken,
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
FATES = ("sent", "sent", "sent", "busy", "discarded")
FLAGS = {"sent": 0, "busy": BUSY, "discarded": DISCARDED}


def drain_and_compare(ring: Ring) -> bytes:
    """One drain, equal to the model's; the fixed parts it brought."""
    expected, position = ring.expected()
    waiting = ring.produced - ring.consumed
    assert ring.reader.stats() == waiting
    drained = ring.reader.drain()
    assert_same(ring.schema, drained, expected)
    assert ring.consumed == position
    return without_tail(drained.batch)


@given(PROGRAMS, SIZES, POSITIONS, st.lists(stories(FATES, 6), max_size=5), st.integers(0, 99))
def test_every_event_once_and_in_order(
    program: str, size: int, start: int, rounds: list[list[Story]], seed: int
) -> None:
    schema, noise = SCHEMAS[program], random.Random(seed)
    ring = Ring(schema, size, start, seed)
    sent: list[tuple[int, bytes]] = []
    got = b""
    for round_ in rounds:
        for story in round_:
            for payload in story.events(schema):
                at = ring.produced
                if ring.reserve(payload, FLAGS[story.fate]) and story.fate != "discarded":
                    sent.append((at, payload))
        for at in noise.sample(ring.busy, noise.randint(0, len(ring.busy))):
            discard = noise.random() < 0.3
            ring.commit(at, discard)
            if discard:
                sent = [s for s in sent if s[0] != at]
        got += drain_and_compare(ring)
    for at in list(ring.busy):
        ring.commit(at, discard=False)
    got += drain_and_compare(ring)
    assert got == b"".join(p[0] for _, payload in sent if (p := parts(schema, payload)))
    assert ring.consumed == ring.produced
    assert ring.reader.stats() == 0


@given(
    PROGRAMS,
    SIZES,
    POSITIONS,
    stories(FATES),
    st.lists(st.tuples(st.integers(0, 1 << 14), st.binary(min_size=1, max_size=8)), max_size=6),
    st.integers(0, 99),
)
def test_damage_is_counted_and_survived(
    program: str, size: int, start: int, plan: list[Story], damage: list[tuple[int, bytes]], seed: int
) -> None:
    schema = SCHEMAS[program]
    rings = [Ring(schema, size, start, noise) for noise in (seed, seed + 1)]  # only what does not wait differs
    for ring in rings:
        for story in plan:
            for payload in story.events(schema):
                ring.reserve(payload, FLAGS[story.fate])
        for offset, garbage in damage:
            if waiting := ring.produced - ring.consumed:
                at = offset % waiting
                ring.write(ring.consumed + at, garbage[: waiting - at])
    assert drain_and_compare(rings[0]) == drain_and_compare(rings[1])
    ring = rings[0]
    if ring.consumed == ring.produced:
        ring.busy.clear()
        fresh = event(schema, random.Random(seed), (3, 4)[: len(schema.tail)], cpu=1)
        assert ring.reserve(fresh, 0)
        assert len(drain_and_compare(ring)) == schema.dtype.itemsize


@given(
    PROGRAMS,
    SIZES,
    POSITIONS,
    stories(("sent", "discarded")),
    st.lists(
        st.tuples(st.integers(0, 99), st.one_of(st.sampled_from([-8, -1, 1, 8]), st.integers(-20, 20))), max_size=2
    ),
    st.one_of(st.integers(0, 30), st.integers(0, 2000)),
)
def test_lengths_and_ends_that_are_nearly_right(
    program: str, size: int, start: int, plan: list[Story], nudges: list[tuple[int, int]], cut: int
) -> None:
    """What lies behind the end looks like records; it is none until the kernel says so."""
    schema = SCHEMAS[program]
    ring = Ring(schema, size, start)
    for story in plan:
        for payload in story.events(schema):
            ring.reserve(payload, FLAGS[story.fate])
    if ring.starts:
        for record, by in nudges:
            ring.nudge(record, by)
        ring.set(start, max(ring.produced - 8 * cut, start))
    drain_and_compare(ring)


@given(PROGRAMS, SIZES, POSITIONS, st.integers(0, 1 << 11), st.integers(0, 1 << 20), st.data())
def test_noise(program: str, size: int, start: int, waiting: int, seed: int, data: st.DataObject) -> None:
    """Memory of nothing but noise, and of noise with lengths that could be."""
    ring = Ring(SCHEMAS[program], size, start, seed)
    ring.set(start, start + min(waiting * 8, size))
    lengths = data.draw(st.lists(st.one_of(st.integers(0, 300), st.integers(0, 0xFFFF_FFFF)), max_size=20))
    at = start
    for length in lengths:
        ring.write(at, length.to_bytes(4, "little"))
        at += ((length & ~(BUSY | DISCARDED)) + 15) // 8 * 8
    drain_and_compare(ring)


@given(st.integers(0, (1 << 64) - 1), st.integers(0, (1 << 64) - 1), st.integers(-70, 70), st.booleans())
def test_positions_that_cannot_be(consumed: int, produced: int, near: int, nearly: bool) -> None:
    ring = Ring(RUNQSLOWER, 1 << 10)
    if nearly:
        produced = min(max(consumed + (1 << 10) + near, 0), (1 << 64) - 1)
    ring.set(consumed, produced)
    expected, position = ring.expected()
    drained = ring.reader.drain()
    assert_same(RUNQSLOWER, drained, expected)
    assert ring.consumed == position
    ring.set(ring.consumed, (1 << 40))  # the kernel is itself again
    ring.reader.drain()
    assert ring.reserve(event(RUNQSLOWER, random.Random(1), ()), 0)
    assert len(drain_and_compare(ring)) == RUNQSLOWER.dtype.itemsize


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_an_event_a_byte_short_is_damage(schema: Schema) -> None:
    ring = Ring(schema, 1 << 12)
    whole = event(schema, random.Random(1), (0, 0))
    for length in (len(whole), len(whole) - 1, len(whole)):
        assert ring.reserve(whole[:length], 0)
    drained = ring.reader.drain()
    assert (len(drained.batch), drained.damaged, ring.reader.stats()) == (1, 1, 0)


def test_a_busy_record_holds_back_what_follows() -> None:
    ring = Ring(RUNQSLOWER, 1 << 12, 4096 - 8)
    noise = random.Random(5)
    for flags in (0, BUSY, 0):
        assert ring.reserve(event(RUNQSLOWER, noise, ()), flags)
    assert len(ring.reader.drain().batch) == 1
    assert len(ring.reader.drain().batch) == 0
    ring.commit(ring.busy[0], discard=True)
    assert len(ring.reader.drain().batch) == 1
    assert ring.reader.stats() == 0


def test_open_maps_the_ring_and_close_gives_everything_back(monkeypatch: pytest.MonkeyPatch) -> None:
    size, told, maps = 1 << 14, [], []
    fd = os.memfd_create("ring")
    os.ftruncate(fd, 2 * PAGE + 2 * size)

    def create(*args: object, **kw: object) -> int:
        told.append((args, kw))
        return fd

    monkeypatch.setattr(syscall, "map_create", create)
    monkeypatch.setattr(syscall, "map_update", lambda *args: maps.append(args))
    reader = RingBuffer(RUNQSLOWER, size, 2)
    reader.open()
    reader.install(77)
    assert told[0][0] == (syscall.MAP_TYPE_RINGBUF, size)
    assert maps == [(77, 0, fd.to_bytes(4, "little"))]
    assert reader.fds() == [fd]
    assert reader.capacity == size
    payload = event(RUNQSLOWER, random.Random(0), (), cpu=1)
    os.pwrite(fd, len(payload).to_bytes(8, "little") + payload, 2 * PAGE)
    os.pwrite(fd, (8 + len(payload)).to_bytes(8, "little"), PAGE)
    drained = reader.drain()
    assert drained.batch.rows.tobytes() == payload
    assert drained.bytes.tolist() == [0, 8 + len(payload)]
    assert int.from_bytes(os.pread(fd, 8, 0), "little") == 8 + len(payload)
    pages = reader._pages
    reader.close()
    assert all(isinstance(p, mmap.mmap) and p.closed for p in pages)
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(fd)


def test_records_longer_than_their_text_are_one_run() -> None:
    """Reserved in size classes: noise follows the text."""
    ring = Ring(EXECSNOOP, 1 << 14)
    noise = random.Random(7)
    sent = []
    for texts in ((0, 0), (3, 160), (12, 1), (168, 0), (84, 84)):
        sent.append(event(EXECSNOOP, noise, texts, padding=168 - sum(texts)))
        assert ring.reserve(sent[-1], 0)
    data = np.frombuffer(ring.memory().twice, np.uint8)
    size = EXECSNOOP.dtype.itemsize + 168
    whole = 5 * (size + 8)
    assert ringbuf.scan(EXECSNOOP, data, 0, ring.produced) == ([(8, 5, size + 8, size)], whole, 0)
    drained = ring.reader.drain()
    assert_same(EXECSNOOP, drained, Taken(sent, [whole, 0, 0, 0]))


def test_scan_takes_a_full_ring_of_equal_records_in_one_run() -> None:
    ring = Ring(RUNQSLOWER, 1 << 14)
    noise = random.Random(3)
    count = 0
    while ring.reserve(event(RUNQSLOWER, noise, ()), 0):
        count += 1
    data = np.frombuffer(ring.memory().twice, np.uint8)
    runs, stop, damaged = ringbuf.scan(RUNQSLOWER, data, 0, ring.produced)
    assert runs == [(8, count, RUNQSLOWER.dtype.itemsize + 8, RUNQSLOWER.dtype.itemsize)]
    assert (stop, damaged) == (ring.produced, 0)
