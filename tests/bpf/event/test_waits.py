"""The buckets of the histogram of all waits, and what is said of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.event.waits import BUCKETS, EDGES, PER_OCTAVE, by_octave, percentile

COUNTS = st.lists(st.integers(0, 10**6), min_size=BUCKETS, max_size=BUCKETS).map(np.array)


def test_each_bucket_is_an_eighth_of_its_power_of_two() -> None:
    assert EDGES[:9].tolist() == [64, 72, 80, 88, 96, 104, 112, 120, 128]
    assert EDGES[-1] == (1 << 37) // 8 * 15
    assert (EDGES[PER_OCTAVE:] == 2 * EDGES[:-PER_OCTAVE]).all()


@given(st.lists(st.integers(64, (1 << 38) - 1), min_size=1), st.floats(0, 100))
def test_a_percentile_is_at_most_an_eighth_too_much(waits: list[int], of_100: float) -> None:
    counts = np.bincount(EDGES.searchsorted(waits, "right") - 1, minlength=BUCKETS)
    exact = sorted(waits)[max(int(np.ceil(len(waits) * of_100 / 100)), 1) - 1]
    said = percentile(counts, of_100)
    assert said >= min(exact, EDGES[-1])
    assert said <= exact * 9 / 8


def test_of_no_waits_there_is_nothing_to_say() -> None:
    assert percentile(np.zeros(BUCKETS, np.int64), 50) == 0


@given(COUNTS)
def test_no_wait_is_left_out_of_a_power_of_two(counts: np.ndarray) -> None:
    assert by_octave(counts).sum() == counts.sum()
    assert by_octave(counts)[3] == counts[24:32].sum()
