"""Batches against plain Python."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.event.args import join_args, split_args
from ringtop.bpf.event.batch import Batch, concat, empty
from ringtop.bpf.event.schema import SCHEMAS
from tests.samples import batches, texts

PROGRAMS = st.sampled_from(list(SCHEMAS))


def content(batch: Batch) -> list[tuple[bytes, ...]]:
    """All that the events hold, wherever their text lies."""
    rows = batch.rows.copy()
    rows["tail"] = 0
    return list(zip((r.tobytes() for r in rows), *(batch.text(n) for n in batch.schema.tail), strict=True))


def naive_text(batch: Batch, name: str) -> list[bytes]:
    values = []
    for row in batch.rows:
        at = int(row["tail"])
        for field in batch.schema.tail:
            length = int(row[f"{field}_len"])
            if field == name:
                values.append(batch.tails[at : at + length])
            at += length
    return values


@given(PROGRAMS.flatmap(lambda p: st.tuples(st.just(p), st.lists(batches(p), max_size=5))))
def test_concat(case: tuple[str, list[Batch]]) -> None:
    program, parts = case
    before = [(p.rows.tobytes(), p.tails) for p in parts]
    whole = concat(program, parts)
    assert whole.program == program
    assert whole.rows.dtype == SCHEMAS[program].dtype
    assert content(whole) == [event for p in parts for event in content(p)]
    assert [(p.rows.tobytes(), p.tails) for p in parts] == before
    again = concat(program, [whole, empty(program), whole])
    assert content(again) == content(whole) * 2


@given(batches(), st.data())
def test_take(batch: Batch, data: st.DataObject) -> None:
    events, n = content(batch), len(batch)
    mask = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    assert content(batch.take(np.array(mask, bool))) == [e for e, wanted in zip(events, mask, strict=True) if wanted]
    positions = data.draw(st.lists(st.integers(0, n - 1), max_size=9)) if n else []
    assert content(batch.take(np.array(positions, np.intp))) == [events[i] for i in positions]
    part = data.draw(st.slices(n))
    assert content(batch.take(part)) == events[part]
    assert len(batch.take(part)) == len(events[part])


@given(
    batches(),
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 0xFFFF_FFFF), st.integers(0, 0xFFFF_FFFF)), max_size=4),
)
def test_text_of_any_offset_and_length(batch: Batch, damage: list[tuple[int, int, int]]) -> None:
    for at, tail, length in damage:
        if at < len(batch):
            batch.rows["tail"][at] = tail
            for name in batch.schema.tail:
                batch.rows[f"{name}_len"][at] = length
    for name in batch.schema.tail:
        assert batch.text(name) == naive_text(batch, name)
    for name in batch.rows.dtype.names or ():
        if batch.rows.dtype[name].kind == "S":
            assert batch.text(name) == [bytes(row[name]) for row in batch.rows]


@given(st.lists(texts(), max_size=6), st.integers(0, 8))
def test_arguments(args: list[bytes], fewer: int) -> None:
    raw = b"".join(a + b"\0" for a in args)
    assert split_args(raw, len(args)) == args
    assert split_args(raw, fewer) == args[:fewer]
    assert join_args(raw, len(args)) == b" ".join(args)
    cut = raw[: max(len(raw) - 3, 0)]
    got = split_args(cut, len(args))
    assert len(got) <= len(args)
    assert all(a.startswith(g) for a, g in zip(args, got, strict=False))


@given(st.binary(max_size=40), st.integers(-3, 9))
def test_arguments_of_noise(raw: bytes, argc: int) -> None:
    got = split_args(raw, argc)
    assert len(got) <= max(argc, 0)
    assert raw.startswith(b"\0".join(got))
