"""Which lines are shown: filters, gaps, freezing, sorting, eviction."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.event.batch import Batch
from ringtop.tui.model.line import is_row, row_of
from ringtop.tui.model.model import Model
from ringtop.tui.model.span import Span
from ringtop.tui.model.store import Table
from ringtop.tui.model.view import Sort, View
from ringtop.tui.text.glyphs import UNICODE
from ringtop.tui.top.ranking import Ranking
from ringtop.tui.top.top import Top
from ringtop.tui.widgets.title import Title
from tests.samples import make
from tests.tui.model.test_store import changed


def waits(start: int, count: int, skip: dict[int, int] | None = None) -> Batch:
    """Events of one CPU; before the row *n* of ``skip`` so many are missing."""
    events, seq = [], start
    for n in range(start, start + count):
        seq += (skip or {}).get(n, 0)
        events.append({"ts": n, "seq": seq, "pid": n % 5, "latency": (n * 7919) % 1000})
        seq += 1
    return make("runqslower", events)


def scan(view: View, rows: int = 4096) -> None:
    for _ in range(10_000):
        if not view.scan(rows):
            break


def rows_of(view: View) -> list[int]:
    return [row_of(int(x)) for x in view.lines(0, len(view)) if is_row(x)]


def by_pid(pid: int):  # type: ignore[no-untyped-def]
    return lambda batch: batch.rows["pid"] == pid


def test_all_rows_in_order_and_gaps_before_their_row() -> None:
    table = Table("runqslower", 1 << 20)
    view = View(table)
    table.append(waits(0, 10, {4: 3, 8: 1}))
    scan(view)
    assert [int(x) for x in view.lines(0, 20)] == [1, 3, 5, 7, 8, 9, 11, 13, 15, 16, 17, 19]
    assert view.gap(8).lost == 3
    assert view.gap(8).cpus == ((0, 0),)


@given(st.integers(1, 50), st.lists(st.integers(1, 40), min_size=1, max_size=8), st.booleans())
def test_a_filter_finds_the_same_rows_in_slices_of_any_size(slice_rows: int, parts: list[int], late: bool) -> None:
    table = Table("runqslower", 1 << 20)
    view = View(table)
    start = 0
    for part in parts:
        table.append(waits(start, part))
        start += part
        if not late and view.predicate is None:
            view.filter(by_pid(3))
        view.scan(slice_rows)
    if late:
        view.filter(by_pid(3))
    scan(view, slice_rows)
    assert rows_of(view) == [n for n in range(start) if n % 5 == 3]
    assert view.matched == len(rows_of(view))


@given(st.integers(1, 30), st.dictionaries(st.integers(1, 59), st.integers(1, 9), max_size=12))
def test_filtered_views_tell_of_every_lost_event_once(slice_rows: int, skip: dict[int, int]) -> None:
    table = Table("runqslower", 1 << 20)
    view = View(table)
    table.append(waits(0, 60, skip))
    view.filter(by_pid(0))
    scan(view, slice_rows)
    lines = [int(x) for x in view.lines(0, len(view))]
    assert sum(view.gap(x).lost for x in lines if not is_row(x)) == sum(skip.values())
    assert not any(not is_row(a) and not is_row(b) for a, b in pairwise(lines))


def test_newest_rows_are_found_first() -> None:
    table = Table("runqslower", 1 << 22)
    view = View(table)
    table.append(waits(0, 5000))
    scan(view)
    view.filter(by_pid(1))
    view.scan(100)
    assert rows_of(view) == [n for n in range(4900, 5000) if n % 5 == 1]
    assert view.scanning


def test_evicted_rows_leave_the_view() -> None:
    table = Table("runqslower", 64 * 132)
    view = View(table)
    for start in range(0, 300, 20):
        table.append(waits(start, 20))
        scan(view)
    assert rows_of(view) == list(range(300 - table.ring.capacity, 300))
    assert view.matched == table.ring.capacity


def test_a_title_tells_how_many_rows_had_to_go() -> None:
    table = Table("runqslower", 64 * 132)
    view = View(table)
    title = Title(Model(), view, Ranking(Top(), view.table.program), UNICODE, "1")
    title.ranked = False
    table.append(waits(0, 20))
    scan(view)
    assert [p.text for p in title.ending()] == ["20 of 20"]
    table.append(waits(20, 5000))
    scan(view)
    kept = f"{table.ring.capacity} of {table.ring.capacity}"
    (rows,) = title.ending()
    assert rows.text == f"{kept}, 5.0k evicted"
    assert rows.less is not None
    assert rows.less.text == kept


def test_a_view_that_was_overtaken_starts_with_what_is_left() -> None:
    table = Table("runqslower", 64 * 132)
    view = View(table)
    table.append(waits(0, 20))
    scan(view)
    table.append(waits(20, 500))
    scan(view)
    assert rows_of(view) == list(range(table.first, table.end))


def test_frozen_rows_stay_while_new_ones_come_and_old_ones_go() -> None:
    table = Table("runqslower", 64 * 132)
    view = View(table)
    table.append(waits(0, 60))
    scan(view)
    view.freeze()
    view.hold(50)
    table.append(waits(60, 200))
    scan(view)
    assert rows_of(view) == list(range(50, 60))
    assert view.new == 200
    assert table.unkept.total() == 200 - (table.ring.capacity - 10)
    view.filter(by_pid(2))
    scan(view)
    assert rows_of(view) == [52, 57]
    view.filter(None)
    view.resume()
    scan(view)
    assert rows_of(view) == list(range(table.first, table.end))


def test_sorted_views_follow_the_filter_and_forget_evicted_rows() -> None:
    table = Table("runqslower", 64 * 132)
    view = View(table)
    table.append(waits(0, 64))
    view.filter(by_pid(0))
    scan(view)
    view.sort = Sort("latency")
    job = view.resort()
    assert job is not None
    view.sorted(job())
    expected = sorted((n for n in range(64) if n % 5 == 0), key=lambda n: ((n * 7919) % 1000, n), reverse=True)
    assert rows_of(view) == expected
    table.append(waits(64, 30))
    scan(view)
    job = view.resort()
    assert job is not None
    view.sorted(job())
    assert min(rows_of(view)) >= table.first
    view.sort = None
    assert view.resort() is None
    assert rows_of(view) == [n for n in range(table.first, table.end) if n % 5 == 0]


def test_marks_have_a_line_of_their_own() -> None:
    table = Table("runqslower", 1 << 20)
    view = View(table)
    table.append(waits(0, 3))
    table.mark("switched to perf buffers")
    table.append(waits(3, 3, {3: 2}))
    scan(view)
    assert [int(x) for x in view.lines(0, 9)] == [1, 3, 5, 6, 7, 9, 11]
    assert view.gap(6).marks == ("switched to perf buffers",)
    assert view.gap(6).lost == 2


@given(
    st.integers(1, 60),
    st.lists(st.integers(0, 70), min_size=1, max_size=5),
    st.dictionaries(st.integers(1, 59), st.integers(1, 9), max_size=8),
    st.booleans(),
    st.booleans(),
)
def test_marks_put_among_rows_that_are_shown(
    scanned: int, stamps: list[int], skip: dict[int, int], filtered: bool, frozen: bool
) -> None:
    def lines(order: str) -> tuple[list[int], list[object]]:
        table = Table("runqslower", 1 << 20)
        view = View(table)
        if filtered:
            view.filter(by_pid(2))
        table.append(waits(0, scanned, skip))
        if frozen:
            view.freeze()
        if order == "first shown":
            scan(view)
        for ts in stamps:
            table.mark(changed(ts))
        scan(view)
        table.append(waits(scanned, 80 - scanned, skip))
        view.resume()
        scan(view)
        found = [int(x) for x in view.lines(0, len(view))]
        return found, [view.gap(x) for x in found if not is_row(x)]

    assert lines("first shown") == lines("first marked")
    told = [note for gap in lines("first shown")[1] for note in gap.marks]  # type: ignore[attr-defined]
    assert sorted(note.ts_ns for note in told) == sorted(stamps)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 700)), max_size=20))
def test_span_is_a_sorted_deque(steps: list[tuple[bool, int]]) -> None:
    span, model = Span(), np.array([], np.int64)
    low = high = 0
    for at_end, size in steps:
        if at_end:
            keys = np.arange(high, high + size)
            high += size
            span.append(keys)
            model = np.concatenate((model, keys))
        else:
            keys = np.arange(low - size, low)
            low -= size
            span.prepend(keys)
            model = np.concatenate((keys, model))
    assert span.values.tolist() == model.tolist()
    if len(model):
        middle = int(model[len(model) // 2])
        assert span.find(middle) == len(model) // 2
        assert span.drop_before(middle) == len(model) // 2
        assert span.values.tolist() == model[len(model) // 2 :].tolist()


def test_a_note_behind_the_last_row_is_shown_at_once_and_stays_before_what_comes_next() -> None:
    table = Table("runqslower", 1 << 20)
    view = View(table)
    table.append(waits(0, 3))
    table.mark(changed(5))
    scan(view)
    assert view.lines(0, 9).tolist() == [1, 3, 5, 6]
    assert view.gap(6).marks == (changed(5),)
    view.freeze()
    table.append(waits(3, 5))
    scan(view)
    assert view.lines(0, 9).tolist() == [1, 3, 5, 6]
    view.resume()
    scan(view)
    assert view.lines(0, 99).tolist() == [1, 3, 5, 7, 9, 11, 12, 13, 15]
    assert view.gap(12).marks == (changed(5),)
