"""Sizes and wakeup modes as users write them."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringtop.bpf.common.sizes import (
    DEFAULT,
    LARGEST,
    MOST_EVENTS,
    PAGE,
    human,
    kernel_wakeup,
    parse_size,
    parse_wakeup,
    perf_wakeup,
)
from ringtop.bpf.event.schema import RUNQSLOWER
from ringtop.bpf.filter.capture import KEEP_ALL
from ringtop.bpf.transport.ringbuf import RingBuffer
from ringtop.bpf.transport.setting import Setting

GOOD = [1 << n for n in range(64) if PAGE <= 1 << n <= LARGEST]
UNITS = {
    "": 1,
    "b": 1,
    "k": 1 << 10,
    "kb": 1 << 10,
    "kib": 1 << 10,
    "m": 1 << 20,
    "mib": 1 << 20,
    "g": 1 << 30,
    "p": PAGE,
}


def nearest(size: int) -> list[int]:
    """The good sizes on both sides of *size*."""
    return [
        s for s in (max([g for g in GOOD if g < size], default=0), min([g for g in GOOD if g > size], default=0)) if s
    ]


@given(
    st.one_of(
        st.integers(0, 5000),
        st.sampled_from(GOOD),
        st.sampled_from(GOOD).map(lambda g: g + 1),
        st.integers(0, 10**12 - 1),
    ),
    st.sampled_from(list(UNITS)),
    st.sampled_from(["", " "]),
    st.booleans(),
)
@example(0, "", "", False)
@example(LARGEST + 1, "", "", False)
@example(1, "", "", False)
def test_a_size_is_good_or_the_nearest_are_named(number: int, unit: str, space: str, upper: bool) -> None:
    text = f" {number}{space}{unit.upper() if upper else unit}"
    size = number * UNITS[unit]
    if size in GOOD:
        assert parse_size(text) == size
        return
    with pytest.raises(ValueError, match="power of two") as caught:
        parse_size(text)
    named = str(caught.value).rpartition("Nearest: ")[2].split(" or ")
    assert [parse_size(n) for n in named] == nearest(size)


@given(st.text(st.sampled_from("0123456789kKmMgGpPbBiI .-+x_e\u0663"), max_size=8))
@example("4bb")
@example("4 i b")
@example("64ib")
@example("1pb")
@example("-4096")
@example("4096\n4096")
def test_other_text_is_no_size(text: str) -> None:
    if re.fullmatch(r"\s*[0-9]{1,12}(?:\.[0-9]{1,12})?\s*(?:[kmg](?:b|ib)?|b|p)?\s*", text, re.IGNORECASE):
        return
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)


@given(st.integers(0, 1 << 40))
def test_human_sizes_are_exact(size: int) -> None:
    found = re.fullmatch(r"(\d+)([KMG]?)", human(size))
    assert found
    assert int(found[1]) * UNITS[found[2].lower()] == size


def test_defaults_are_good() -> None:
    assert set(DEFAULT.values()) <= set(GOOD)


@given(st.sampled_from(GOOD), st.integers(1, MOST_EVENTS))
@example(PAGE, MOST_EVENTS)
def test_wakeup_modes(size: int, number: int) -> None:
    assert [parse_wakeup(m) for m in ("timer", "adaptive", "every")] == [("timer", 0), ("adaptive", 0), ("every", 0)]
    assert parse_wakeup(f"batch:{number}") == ("batch", number)
    # enum wakeup in include/ringtop.h
    modes = ("timer", "adaptive", "every", f"batch:{number}")
    assert [kernel_wakeup(m, size) for m in modes] == [(0, size // 2), (1, 0), (2, 0), (3, number)]
    assert [perf_wakeup(m, size) for m in modes] == [(True, size // 2), (False, 1), (False, 1), (False, number)]


def test_copies_into_a_ring_wake_by_its_size() -> None:
    """Not by that of the perf buffers which are in use."""
    used, ring = Setting("perfbuf", 64 << 10, "timer"), RingBuffer(RUNQSLOWER, 1 << 20, 1)
    assert used.in_kernel(KEEP_ALL, copies=ring).wakeup_arg == 1 << 19
    assert Setting("ringbuf", 1 << 21, "timer").in_kernel(KEEP_ALL).wakeup_arg == 1 << 20


NOT_MODES = ("", ":", "Timer", "adaptive ", "timer:", "timer:5", "every:1", "batch", "batch:", "batch:0", "batch:-1")
NOT_NUMBERS = ("batch:1.5", "batch: 4", "batch:\u0664", "batch:4:4", f"batch:{MOST_EVENTS + 1}", "batch:" + "9" * 40)


@pytest.mark.parametrize("text", NOT_MODES + NOT_NUMBERS)
def test_other_text_is_no_wakeup_mode(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a wakeup mode|must be a number of events"):
        parse_wakeup(text)
