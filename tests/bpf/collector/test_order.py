"""Batches come out in time order, nothing is lost or doubled, and text stays with its event."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.collector import rounds
from ringtop.bpf.collector.order import InOrder
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import UNLINKSNOOP


def made(stamps: list[int]) -> Batch:
    """Events at these times, each with its time as its path."""
    paths = [str(ts).encode() for ts in stamps]
    rows = np.zeros(len(stamps), UNLINKSNOOP.dtype)
    rows["ts"] = stamps
    rows["path_len"] = [len(p) for p in paths]
    rows["tail"] = np.cumsum([0, *map(len, paths)])[:-1]
    return Batch("unlinksnoop", rows, b"".join(paths))


@given(st.lists(st.lists(st.integers(0, 99), max_size=40), min_size=1, max_size=3), st.integers(100, 5000))
def test_a_large_drain_is_cut_into_rounds_that_follow_each_other(drained: list[list[int]], largest: int) -> None:
    batches = [made(sorted(stamps)) for stamps in drained]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rounds, "LARGEST", largest)
        pieces = list(rounds.cut(batches, 100))
    assert [edge for edge, _ in pieces] == sorted(edge for edge, _ in pieces)
    assert pieces[-1][0] == 100
    before = 0
    for edge, parts in pieces:
        assert all(before <= ts < edge for part in parts for ts in part.rows["ts"].tolist())
        before = edge
        bytes_of = [part.rows.nbytes + len(part.tails) for part in parts]
        at_once = len(set(parts[bytes_of.index(max(bytes_of))].rows["ts"].tolist())) == 1
        assert sum(bytes_of) <= largest or at_once
    for i, stamps in enumerate(drained):
        texts = [p for _, parts in pieces for p in parts[i].text("path")]
        assert texts == [str(ts).encode() for ts in sorted(stamps)]


Arrivals = list[list[int]]


@given(st.lists(st.lists(st.integers(0, 300), max_size=20), max_size=12), st.integers(0, 60))
def test_the_window_holds_and_what_comes_later_is_flagged(arrivals: Arrivals, window: int) -> None:
    """Drain i happens at time 25 * i, and brings events of any age."""
    order, out, newest, late = InOrder("unlinksnoop"), [], -1, 0
    for i, stamps in enumerate([*arrivals, []]):
        before = 1 << 40 if i == len(arrivals) else 25 * i - window
        batch = order.push(made(stamps), before)
        got = batch.rows["ts"].tolist()
        assert got == sorted(got)
        assert [bool(flag) for flag in batch.rows["late"]] == [ts < newest for ts in got]
        late += sum(ts < newest for ts in got)
        newest = max([newest, *got])
        assert batch.text("path") == [str(ts).encode() for ts in got]
        out += got
    assert sorted(out) == sorted(ts for stamps in arrivals for ts in stamps)
    assert order.late == late


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 40)), max_size=60), st.integers(41, 80))
def test_nothing_is_late_that_arrives_within_the_window(events: list[tuple[int, int]], window: int) -> None:
    """Each event is (time stamp, time until it arrives)."""
    order = InOrder("unlinksnoop")
    for now in range(0, 1100, 25):
        arrived = [ts for ts, delay in events if now - 25 < ts + delay <= now]
        assert not order.push(made(arrived), now - window).rows["late"].any()


@given(st.lists(st.tuples(st.lists(st.integers(0, 50)), st.integers(0, 50)), max_size=8))
def test_order(drains: list[tuple[list[int], int]]) -> None:
    order = InOrder("unlinksnoop")
    pushed: list[int] = []
    out: list[Batch] = []
    before = 0
    for stamps, step in drains:
        late = [before + ts for ts in stamps]  # a drain brings nothing from before the last one's beginning
        before += step
        out.append(order.push(made(late), before))
        pushed += late
        assert all(ts < before for ts in out[-1].rows["ts"].tolist())
    out.append(order.push(made([]), 1 << 62))
    stamps = [ts for batch in out for ts in batch.rows["ts"].tolist()]
    assert stamps == sorted(pushed)
    assert [p for batch in out for p in batch.text("path")] == [str(ts).encode() for ts in stamps]
