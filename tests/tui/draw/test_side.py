"""Figures before and now, beside or below the CPUs, in the room there is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ringtop.bpf.stream import Period
from ringtop.tui.draw import fill, periods, side
from ringtop.tui.model.counters import Cpu, Totals
from ringtop.tui.text.glyphs import ASCII, UNICODE
from tests.tui.model.test_notes import PERF, RING


@pytest.mark.parametrize(
    ("latency", "part", "said"),
    [
        ([], 0.5, "-"),
        ([0, 0], 0.5, "-"),
        ([9], 0.99, "< 1.00 us"),
        ([0, 50, 50], 0.5, "< 2.00 us"),
        ([0, 50, 50], 0.51, "< 4.00 us"),
        ([0] * 7 + [99, 0, 1], 0.99, "< 128 us"),
        ([0] * 7 + [98, 0, 2], 0.99, "< 512 us"),
        ([0] * 14 + [1], 0.5, "< 16.4 ms"),
    ],
)
def test_percentiles_are_the_upper_edge_of_their_bucket(latency: list[int], part: float, said: str) -> None:
    assert periods.percentile(latency, part) == said


BIG = st.integers(0, 1 << 40)
PERIODS = st.builds(
    Period,
    st.sampled_from(["ringbuf", "perfbuf"]),
    st.integers(12, 30).map(lambda n: 1 << n),
    st.sampled_from(["timer", "adaptive", "batch:1048576"]),
    st.integers(12, 40).map(lambda n: 1 << n),
    st.floats(0, 1e6),
    BIG,
    BIG,
    BIG,
    BIG,
    st.integers(0, 10**9),
    st.lists(BIG, max_size=40),
)


@given(PERIODS)
def test_figures_fit_their_column(period: Period) -> None:
    if period.seconds and period.seconds < 1e-3:
        period = replace(period, seconds=1e-3)
    for row in periods.rows(list(periods.FIGURES), [period]):
        assert len(row[0]) <= periods.LABEL
        assert len(row[1]) < periods.VALUE


def totals(count: int, now: Period | None = PERF, late: int = 0) -> Totals:
    cpus = tuple(Cpu(c, fill=c * 10, peak=c * 20) for c in range(count))
    return Totals(capacity=1 << 20, transport="perfbuf", cpus=cpus, now=now, late=late)


def drawn(rows: fill.Rows) -> list[str]:
    return ["".join(text for text, _ in row) for row in rows]


@given(
    st.integers(1, 300),
    st.integers(10, 120),
    st.integers(1, 40),
    st.sampled_from([None, RING]),
    st.sampled_from([None, PERF]),
    st.sampled_from([UNICODE, ASCII]),
)
def test_it_stays_inside(count: int, width: int, height: int, before, now, glyphs) -> None:  # type: ignore[no-untyped-def]
    lines = drawn(side.pane(totals(count, now), before, 1 << 20, width, height, glyphs))
    assert len(lines) <= height
    assert all(len(line) <= width for line in lines)


@pytest.mark.parametrize("count", [2, 8, 64, 256])
def test_after_a_change_the_cpus_make_room_and_stay(count: int) -> None:
    lines = drawn(side.pane(totals(count), RING, 1 << 20, 33, 11, UNICODE))
    at = next(i for i, line in enumerate(lines) if line.split() == ["before", "now"])
    assert at == side.CPUS
    names = [line.split()[0] for line in lines[at + 1 :]]
    assert names == ["buffer", "events/s", "delay", "delay", "wakeups/s", "reader"]
    assert len(lines) == 11


def test_without_a_change_the_figures_take_what_is_left() -> None:
    assert drawn(side.pane(totals(8), None, 1 << 20, 33, 11, UNICODE)) == drawn(
        fill.pane(totals(8), 1 << 20, 33, 11, UNICODE)
    )
    lines = drawn(side.pane(totals(2), None, 1 << 20, 33, 11, UNICODE))
    assert lines[4].split() == ["events/s", "98"]
    assert "before" not in "".join(lines)


def test_figures_stand_beside_the_cpus_where_it_is_wide() -> None:
    lines = drawn(side.pane(totals(2), RING, 1 << 20, 78, 8, UNICODE))
    assert lines[0].startswith("perf")
    assert lines[0].endswith("before       now")
    assert lines[1].split()[-4:] == ["ring", "256K", "perf", "128K"]


def test_what_came_out_of_order_or_late_stands_out() -> None:
    rows = side.pane(totals(2, late=7), RING, 1 << 20, 53, 30, UNICODE)
    tones = {row[0][0].strip(): row[-1][1] for row in rows if row}
    assert (tones["out of order"], tones["late"]) == ("lost", "lost")
    assert (tones["memory"], tones["delay p50"]) == ("", "")
    quiet = side.pane(totals(2, now=RING), PERF, 1 << 20, 53, 30, UNICODE)
    assert all(row[-1][1] != "lost" for row in quiet if row)


def test_nothing_is_known_yet() -> None:
    assert side.figures(totals(2, now=None), None) == []
    lines = drawn(side.figures(totals(2, now=None), RING))
    assert lines[2].split() == ["events/s", "98", "-"]
