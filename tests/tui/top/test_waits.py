"""Waits: their sum and the longest exactly, percentiles by a histogram."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.tui.top.top import Top
from ringtop.tui.top.waits import buckets, edges
from tests.tui.top.events import START, S, waits

US = 1_000


def test_sums_longest_and_percentiles() -> None:
    top = Top(["runqslower"])
    ns = [10 * US * i for i in range(1, 10_001)]
    top.take(waits(b"a", np.random.default_rng(7).permutation(ns).tolist(), step=1000))
    (row,) = top.report("runqslower").rows
    assert row.total_ns == 500_050_000_000
    assert row.max_ns == 100_000_000
    assert row.p50_ns == pytest.approx(50_000_000, rel=0.06)
    assert row.p99_ns == pytest.approx(99_000_000, rel=0.06)


@given(st.lists(st.integers(1 << 10, 1 << 41), min_size=1, max_size=200), st.integers(2, 5))
def test_percentiles_are_off_by_six_percent_at_most(ns: list[int], parts: int) -> None:
    top = Top(["runqslower"])
    for i, some in enumerate(np.array_split(np.array(ns), parts)):
        if len(some):
            top.take(waits(b"a", some.tolist(), ts=START + i * S, step=1))
    for window in ("start", "5min"):
        (row,) = top.report("runqslower", window).rows
        ranked = sorted(ns)
        assert row.p50_ns == pytest.approx(ranked[-(-len(ns) // 2) - 1], rel=0.0626)
        assert row.p99_ns == pytest.approx(ranked[int(np.ceil(len(ns) * 0.99)) - 1], rel=0.0626)
        assert (row.total_ns, row.max_ns) == (sum(ns), max(ns))


def test_percentiles_of_a_window_are_of_what_happened_in_it() -> None:
    top = Top(["runqslower"])
    top.take(waits(b"a", [100 * 1_000_000] * 100, step=1))
    top.take(waits(b"a", [1_000_000] * 10, ts=START + 100 * S, step=1))
    (row,) = top.report("runqslower", "10s").rows
    assert (row.count, row.max_ns, row.total_ns) == (10, 1_000_000, 10_000_000)
    assert row.p99_ns == pytest.approx(1_000_000, rel=0.06)
    (row,) = top.report("runqslower").rows
    assert row.p50_ns == pytest.approx(100_000_000, rel=0.06)


def test_a_bucket_holds_what_lies_between_its_edges() -> None:
    values = np.unique(np.concatenate([edges()[:-1].astype(np.int64) + d for d in (-1, 0, 1)]))
    values = values[values >= 1 << 10]
    at = buckets(values)
    assert (edges()[at] <= values).all()
    assert (values < edges()[at + 1]).all()


def test_who_used_the_cpu_meanwhile() -> None:
    top = Top(["runqslower"])
    top.fold_by("runqslower", "because")
    for comm, times in ((b"hog", 30), (b"(idle)", 4)):
        top.take(waits(b"a", [1_000_000] * times, culprit_comm=comm, prev_comm=b"victim", prev_pid=5))
    hog, idle = top.report("runqslower").rows
    assert [(row.key, row.count, row.because, row.because_share) for row in (hog, idle)] == [
        ((b"hog",), 30, b"hog", 1.0),
        ((b"(idle)",), 4, b"(idle)", 1.0),
    ]


def test_who_had_the_cpu_before() -> None:
    top = Top(["runqslower"])
    top.take(waits(b"a", [1_000_000] * 54, prev_comm=b"cc1", prev_pid=5))
    top.take(waits(b"a", [1_000_000] * 46, prev_comm=b"swapper/0", prev_pid=0, preempted=1))
    top.take(waits(b"b", [1_000_000] * 3, prev_comm=b"swapper/1", prev_pid=0))
    a, b = top.report("runqslower").rows
    assert (a.after, a.after_share, a.preempted) == (b"cc1", 0.54, 46)
    assert (b.after, b.after_share, b.preempted) == (b"(idle)", 1.0, 0)


def test_processes_of_one_id_are_rows_of_their_own() -> None:
    top = Top(["runqslower"])
    top.fold_by("runqslower", "pid")
    for start in (90, 90, 250, 0):
        top.take(waits(b"a", [1_000_000], pid=7, start_ns=start))
    assert {row.key: row.count for row in top.report("runqslower").rows} == {
        (b"7", b"90"): 2,
        (b"7", b"250"): 1,
        (b"7", b"(unknown)"): 1,
    }
