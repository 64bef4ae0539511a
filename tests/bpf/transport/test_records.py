"""Runs of equal headers, and events copied out of memory."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import EXECSNOOP, RUNQSLOWER, SCHEMAS, Schema
from ringtop.bpf.transport.records import Drained, Run, collect, run_length
from tests.bpf.transport.memory import CPUS, PROGRAMS, Story, Taken, acceptable, assert_same, cpu_of, stories


def slow_run_length(words: list[int], at: int, step: int, most: int) -> int:
    n = 1
    while n < most and words[at + n * step] == words[at]:
        n += 1
    return n


@given(
    st.integers(0, 1200),
    st.integers(1, 5),
    st.integers(0, 3),
    st.integers(0, 40),
    st.booleans(),
    st.sampled_from([np.uint32, np.uint64]),
    st.integers(0, 1 << 32),
)
def test_run_length(run: int, step: int, at: int, more: int, ends: bool, width: type, seed: int) -> None:
    """As one at a time: for runs of any length that end in another word or at the end of the memory."""
    noise = random.Random(seed)
    top = np.iinfo(width).max
    words = [noise.choice((0, 1, top)) for _ in range(at + (run + more) * step + 1)]
    words[at : at + run * step : step] = [top] * len(words[at : at + run * step : step])
    if ends and at + run * step < len(words):
        words[at + run * step] = 3
    most = (len(words) - 1 - at) // step + 1
    for limit in {most, max(most - 1, 1), min(most, 1 + seed % 9), 1}:
        got = run_length(np.array(words, width).data, at, step, limit)
        assert got == slow_run_length(words, at, step, limit)


def test_run_length_looks_at_no_word_behind_the_last() -> None:
    for count in (*range(1, 20), 71, 72, 73, 327, 328, 329):
        words = np.zeros(1 + (count - 1) * 3, np.uint32)  # the last word is the last header
        assert run_length(words.data, 0, 3, count) == count


def naive(program: str, data: bytes, runs: list[Run]) -> Taken:
    schema, expected, left_out = SCHEMAS[program], Taken(), 0
    for at, count, stride, length in runs:
        for i in range(count):
            payload = data[at + i * stride :][:length]
            if not acceptable(schema, payload):
                left_out += 1
                continue
            expected.events.append(payload)
            expected.sizes[cpu_of(schema, payload)] += stride
    return Taken(expected.events, expected.sizes, expected.lost, left_out)


def lay_out(schema: Schema, plan: list[Story], begin: int) -> tuple[bytearray, list[Run]]:
    """Memory with the events of *plan* in it, and where they are."""
    memory, runs = bytearray(b"#" * begin), []
    for story in plan:
        events = list(story.events(schema))
        length = len(events[0])
        stride = (8 + length + 7) // 8 * 8
        runs.append((len(memory), story.count, stride, length))
        for payload in events:
            memory += payload.ljust(stride, b"#")
    return memory, runs


@given(
    PROGRAMS,
    stories(cpus=(0, 0, 0, 0, 1, 3, CPUS), lies=(0, 0, 0, 0, 0, 0, 1, 4)),
    st.sampled_from([4, 8]),
    st.lists(st.tuples(st.integers(0, 1 << 14), st.binary(max_size=4)), max_size=3),
)
def test_collect(program: str, plan: list[Story], begin: int, damage: list[tuple[int, bytes]]) -> None:
    """The events of all runs, in order, with nothing of what lies between and behind them."""
    schema = SCHEMAS[program]
    memory, runs = lay_out(schema, plan, begin)
    for at, garbage in damage:
        at %= len(memory)
        memory[at : at + len(garbage)] = garbage[: len(memory) - at]
    data = bytes(memory)
    batch, size, left_out = collect(schema, np.frombuffer(data, np.uint8), runs, CPUS)
    drained = Drained(batch, size, np.zeros(CPUS, np.int64), left_out)
    assert_same(schema, drained, naive(program, data, runs))
    assert len(batch.tails) <= len(data)


@pytest.mark.parametrize(("count", "last"), [(40, (0, 1)), (1, (0, 1)), (40, (CPUS, 0)), (40, (0, 0))])
@pytest.mark.parametrize("others", [0, 40])
def test_one_that_cannot_be_is_left_out_alone(count: int, last: tuple[int, int], others: int) -> None:
    plan = [Story(count, (8, 8), 0, 0, "sent", 1, last=last)] + [
        Story(1, (i, 0), 0, 1, "sent", i) for i in range(others)
    ]
    memory, runs = lay_out(EXECSNOOP, plan, 8)
    data = bytes(memory)
    batch, size, left_out = collect(EXECSNOOP, np.frombuffer(data, np.uint8), runs, CPUS)
    assert left_out == (last != (0, 0))
    assert len(batch) == count + others - left_out
    assert_same(EXECSNOOP, Drained(batch, size, np.zeros(CPUS, np.int64), left_out), naive("execsnoop", data, runs))


@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("program", SCHEMAS)
def test_collect_many_thousands(program: str, equal: bool) -> None:
    schema, count, length = SCHEMAS[program], 20_000, SCHEMAS[program].dtype.itemsize + 40
    rng = np.random.default_rng(5)
    memory = rng.integers(0, 256, (count, 8 + length), np.uint8)
    rows = np.ndarray((count,), schema.dtype, memory, 8, (8 + length,))
    rows["cpu"] = 1 if equal else rng.integers(0, CPUS, count)
    for name in schema.tail:
        rows[f"{name}_len"] = 13 if equal else rng.integers(0, 21, count)
    batch, size, left_out = collect(schema, memory.ravel(), [(8, count, 8 + length, length)], CPUS)
    assert left_out == 0
    assert size.tolist() == (np.bincount(rows["cpu"], minlength=CPUS) * (8 + length)).tolist()
    in_place = rows.copy()
    in_place["tail"] = 8 + schema.dtype.itemsize + np.arange(count) * (8 + length)
    for name in schema.tail:
        assert batch.text(name) == Batch(program, in_place, memory.tobytes()).text(name)
    batch.rows["tail"] = rows["tail"]
    assert batch.rows.tobytes() == rows.tobytes()


@pytest.mark.parametrize("program", SCHEMAS)
def test_collect_nothing(program: str) -> None:
    batch, size, left_out = collect(SCHEMAS[program], np.zeros(8, np.uint8), [], 2)
    assert (len(batch), batch.tails, size.tolist(), left_out) == (0, b"", [0, 0], 0)
    assert batch.rows.dtype == SCHEMAS[program].dtype


def test_collected_events_are_copies() -> None:
    memory = bytearray(8 + RUNQSLOWER.dtype.itemsize)
    batch, _, _ = collect(RUNQSLOWER, np.frombuffer(memory, np.uint8), [(8, 1, 112, 104)], 1)
    memory[8:] = b"\xff" * 104
    assert not any(batch.rows.tobytes())
    batch.rows["tid"] = 7  # the collector fills in what the hook could not know
