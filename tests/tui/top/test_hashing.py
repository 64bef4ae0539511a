"""Hashes and the table of rows, against Python's own dictionary."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ringtop.tui.top.hashing import Hasher, hashes, mixed
from ringtop.tui.top.index import Index
from ringtop.tui.top.sketch import estimate, note, registers
from ringtop.tui.top.text import Text

BYTES = st.binary(max_size=40) | st.sampled_from(
    [b"", b"/", b"a" * 127, b"a" * 128, b"a" * 129, b"b" * 700, b"/x" * 400]
)


def lying(texts: list[bytes], between: bytes = b"") -> tuple[Text, np.ndarray, np.ndarray]:
    """*texts* in one memory, where each begins and its size."""
    size = np.array([len(text) for text in texts], np.int64)
    start = np.cumsum(size + len(between)) - size - len(between)
    return Text(between.join([*texts, b""])), start, size


@given(st.lists(BYTES, min_size=1, max_size=20), st.binary(max_size=5))
def test_equal_texts_have_equal_hashes_wherever_they_lie(texts: list[bytes], between: bytes) -> None:
    text, start, size = lying(texts, between)
    hasher = Hasher(b"a")
    found = hashes(hasher.texts("part", text, start, size)).tolist()
    assert len(set(zip(texts, found, strict=True))) == len(set(texts)) == len(set(found))
    assert hashes(hasher.labels("part", texts)).tolist() == found
    assert hashes(hasher.labels("other", texts)).tolist() != found
    assert hashes(Hasher(b"b").labels("part", texts)).tolist() != found


def test_flipped_top_bits_are_seen() -> None:
    """What makes weaker hashes equal: the same bit of two words changed."""
    a, b = bytearray(32), bytearray(32)
    b[7] = b[15] = b[23] = b[31] = 0x80
    one, other = hashes(Hasher(b"a").labels("part", [bytes(a), bytes(b)])).tolist()
    assert one != other


@given(st.lists(BYTES, min_size=1, max_size=20), st.sampled_from([b"/", b"a", b"\0"]))
def test_places_are_those_that_python_finds(texts: list[bytes], byte: bytes) -> None:
    text, start, size = lying(texts, b"/a\0")
    end = start + size
    last, first = text.last(byte, start, end), text.first(byte, start, end)
    second = text.first(byte, start, end, 1)
    for i, one in enumerate(texts):
        assert last[i] - start[i] == one.rfind(byte)
        at = one.find(byte)
        assert first[i] - start[i] == (at if at >= 0 else len(one))
        at = one.find(byte, at + 1) if at >= 0 else -1
        assert second[i] - start[i] == (at if at >= 0 else len(one))


@given(st.lists(st.lists(st.integers(1, 60), max_size=40), max_size=6), st.sampled_from([1, 1 << 40, 1 << 10]))
def test_rows_are_numbered_in_the_order_they_come(batches: list[list[int]], spread: int) -> None:
    index, known = Index(), dict[int, int]()
    for batch in batches:
        keys = np.array([key * spread for key in batch], np.uint64)
        assert index.find(keys).tolist() == [known.get(key, -1) for key in keys.tolist()]
        rows = index.find(keys)
        new = index.fill(keys, rows)
        assert keys[new].tolist() == [key for key in dict.fromkeys(keys.tolist()) if key not in known]
        for key in keys.tolist():
            known.setdefault(key, len(known))
        assert rows.tolist() == [known[key] for key in keys.tolist()]
    assert index.count == len(known)


def test_an_index_grows() -> None:
    index = Index()
    keys = mixed(np.arange(1, 100_001, dtype=np.uint64))
    for some in np.array_split(keys, 7):
        index.fill(some, index.find(some))
    assert index.find(keys).tolist() == list(range(100_000))
    assert (index.find(keys + np.uint64(1)) == -1).all()


def test_distinct_keys_are_counted_well_enough() -> None:
    rng = np.random.default_rng(1)
    for count in (1, 10, 100, 10_000, 1_000_000):
        seen = registers(14)
        keys = rng.integers(1, 1 << 62, count).astype(np.uint64)
        for _ in range(2):
            note(seen, keys)
        assert abs(int(estimate(seen)[0]) - count) <= 0.03 * count
