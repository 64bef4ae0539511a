"""The rows of several hosts have one clock and a number, whatever a host says of its clocks."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from ringtop.bpf import stream
from ringtop.bpf.event.batch import Batch
from ringtop.tui.source import hosts
from ringtop.tui.source.hosts import FAR_NS, OFFSET_NS, Place
from tests.samples import make
from tests.tui.source.recordings import SECOND, hello, stats_at

NOW = 900_000 * SECOND
"""Our monotonic clock."""


class Time:
    """Our two clocks."""

    def __init__(self) -> None:
        self.ns = NOW

    def monotonic(self) -> int:
        return self.ns

    def wall(self) -> int:
        return self.ns + OFFSET_NS


def heard(ahead_ns: int, booted: int, delay_ns: int = 0) -> tuple[Time, Place]:
    """The place of a host whose wall clock is *ahead_ns* of ours, and whose monotonic clock said *booted* at NOW."""
    time = Time()
    place = Place(7, time.monotonic, time.wall)
    time.ns += delay_ns
    wall_offset = NOW + OFFSET_NS + ahead_ns - booted
    place.hear(structs.replace(hello(), wall_offset_ns=wall_offset))
    place.hear(structs.replace(stats_at(0), ts_ns=booted, wall_offset_ns=wall_offset))
    return time, place


def events(*times: int) -> Batch:
    return make("execsnoop", [{"ts": ts, "start_ns": ts - 5 if i else 0, "pid": 23} for i, ts in enumerate(times)])


@given(st.integers(5 - FAR_NS, FAR_NS - 5), st.integers(5, 1 << 50))
def test_rows_have_the_wall_clock_times_of_their_host(ahead: int, booted: int) -> None:
    _, place = heard(ahead, booted)
    batch = events(booted, booted + 3)
    found = place.stamp(batch).rows
    assert (found["ts"].astype(np.int64) + OFFSET_NS).tolist() == [NOW + OFFSET_NS + ahead + n for n in (0, 3)]
    assert found["host"].tolist() == [7, 7]
    assert found["start_ns"].tolist() == [0, found["ts"][1] - 5], "what is not known stays so"
    assert place.ns(booted + 3) == found["ts"][1]
    assert batch.rows["host"].tolist() == [0, 0], "the batch itself is left alone"


@given(st.integers(FAR_NS + 1, 1 << 62), st.booleans(), st.integers(5, 1 << 50))
def test_a_clock_that_is_far_off_moves_no_row_away(off: int, behind: bool, booted: int) -> None:
    _, place = heard(-off if behind else off, booted)
    assert place.stamp(events(booted)).rows["ts"].tolist() == [NOW]


@given(
    st.integers(-(1 << 63), (1 << 64) - 1),
    st.integers(-(1 << 63), (1 << 64) - 1),
    st.lists(st.integers(0, (1 << 64) - 1)),
)
def test_no_row_of_a_host_that_lies_is_before_the_start_or_after_now(offset: int, told: int, times: list[int]) -> None:
    time = Time()
    place = Place(1, time.monotonic, time.wall)
    place.hear(structs.replace(hello(), wall_offset_ns=offset))
    for _ in range(2):
        for ts in (*place.stamp(make("execsnoop", [{"ts": ts} for ts in times])).rows["ts"].tolist(), place.ns(told)):
            assert NOW - FAR_NS <= ts <= NOW + FAR_NS
        place.hear(stream.Round(told, told, []))


def test_clocks_are_compared_by_the_message_that_was_the_fastest() -> None:
    time, place = heard(2 * SECOND, 0, delay_ns=SECOND // 4)
    assert (place.apart_ns, place.error_ns) == (2 * SECOND - SECOND // 4, SECOND // 4)
    place.hear(stream.Round(0, SECOND // 2, []))  # half a second after NOW, at a quarter
    assert place.apart_ns == 2 * SECOND + SECOND // 4
    time.ns += 100 * SECOND
    place.hear(hello())
    assert place.apart_ns is None
    assert place.error_ns == SECOND // 4


def test_all_are_stopped_at_the_same_time() -> None:
    from threading import Barrier

    both = Barrier(2, timeout=120)

    class Source:
        label, live = "made up", True

        def start(self, post: object) -> None: ...
        def send(self, control: stream.Control) -> None: ...
        def stop(self) -> None:
            both.wait()

    hosts.stop([Source(), Source()])
    assert not both.broken
