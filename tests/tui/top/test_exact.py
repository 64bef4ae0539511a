"""Every event is in a row or in the others, in every window: checked against plain loops."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.top.keys import keys
from ringtop.tui.top.measures import ALL
from ringtop.tui.top.report import START as ALL_OF_IT
from ringtop.tui.top.report import Report
from ringtop.tui.top.slots import WINDOWS
from ringtop.tui.top.top import Top
from tests.samples import batches
from tests.tui.top.events import MS, START, S


def total(report: Report) -> int:
    """Events of its rows and of the others."""
    return sum(row.events for row in report.rows) + report.others.events


def moved(batch: Batch, base: int, spread: int) -> Batch:
    """The events at believable times, in order."""
    rows = batch.rows.copy()
    rows["ts"] = base + np.sort(rows["ts"] % np.uint64(spread)).astype(np.int64)
    return Batch(batch.program, rows, batch.tails)


def choices() -> st.SearchStrategy[dict[str, str]]:
    """A key for each program, and for all."""
    return st.fixed_dictionaries({p: st.sampled_from([key.name for key in keys(p)]) for p in (*SCHEMAS, ALL)})


@given(st.lists(batches(max_size=12), max_size=8), choices(), st.integers(0, 4), st.sampled_from([ALL_OF_IT, *WINDOWS]))
def test_rows_and_others_are_all_that_was_received(
    some: list[Batch], by: dict[str, str], shown: int, window: str
) -> None:
    top = Top(by=by)
    received: Counter[str] = Counter()
    now = START
    for batch in some:
        if len(batch):
            batch = moved(batch, now, 3 * S)
            received[batch.program] += len(batch)
            received[ALL] += len(batch)
        top.take(batch)
        now += S
    top.tick(now + 5 * S)
    for program in (*SCHEMAS, ALL):
        report = top.report(program, window, rows=shown)
        if window in (ALL_OF_IT, "1min", "5min"):
            assert report.events == received[program]
        assert total(report) == report.events
        assert report.keys == len(report.order)
        assert report.others.keys == report.keys - len(report.rows)
        done = sum(row.count for row in report.rows) + sum(report.others.done)
        failed = sum(row.failed for row in report.rows) + report.others.failed
        assert done + failed + sum(row.searched for row in report.rows) + report.others.searched == report.events


@given(
    st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.integers(0, 400)), max_size=60),
    st.integers(0, 420),
)
def test_windows_hold_what_happened_in_them(events: list[tuple[bytes, int]], now: int) -> None:
    top = Top(["runqslower"])
    base = START // (10 * S) * 10 * S
    order = sorted(events, key=lambda event: event[1])
    for comm, second in order:
        rows = np.zeros(1, SCHEMAS["runqslower"].dtype)
        rows["ts"], rows["comm"] = base + second * S + 7 * MS, comm
        top.take(Batch("runqslower", rows, b""))
    now = max([now, *(second for _, second in events)])
    top.tick(base + now * S + 500 * MS)
    for window, seconds in WINDOWS.items():
        first = now - seconds if seconds <= 60 else now // 10 * 10 - seconds
        told = Counter(comm for comm, second in events if second >= first)
        report = top.report("runqslower", window)
        assert {row.key[0]: row.count for row in report.rows} == dict(told)
    rates = {row.key[0]: row.rate for row in top.report("runqslower").rows}
    recent = Counter(comm for comm, second in events if second >= now - 10)
    started = min((second for _, second in events), default=0)
    span = min(10.5, max(1.0, now + 0.5 - started - 0.007))
    assert rates == pytest.approx({comm: recent[comm] / span for comm in rates})
