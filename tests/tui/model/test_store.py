"""The history: bounded, complete, and exact about what is missing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf import stream
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import SCHEMAS, usual
from ringtop.tui.model.gaps import SequenceCheck
from ringtop.tui.model.model import Model
from ringtop.tui.model.ring import Ring
from ringtop.tui.model.store import DEFAULT_BYTES, Store, Table
from ringtop.tui.source.inbox import Arrived, Inbox, Skipped
from ringtop.tui.source.source import Lost
from tests.samples import make
from tests.tui.feed import Feed
from tests.tui.source.recordings import hello


def unlinks(start: int, count: int, path: bytes = b"", cpu: int = 0) -> Batch:
    """Events whose path tells their number."""
    numbers = range(start, start + count)
    rows = [{"ts": n, "seq": n, "cpu": cpu, "pid": n % 7, "path": path or b"/file/%d" % n} for n in numbers]
    return make("unlinksnoop", rows)


def none_lost(batch: Batch) -> np.ndarray:
    return np.zeros(len(batch), np.uint32)


def test_default_history_keeps_80_000_rows_of_each_table_in_64_mib() -> None:
    store = Store(usual())
    assert all(t.ring.capacity >= 80_000 for t in store.tables.values())
    assert sum(t.ring.nbytes for t in store.tables.values()) <= DEFAULT_BYTES


@given(st.lists(st.integers(1, 90), min_size=1, max_size=30), st.integers(64, 200))
def test_ring_keeps_the_newest_rows_with_their_text(sizes: list[int], capacity: int) -> None:
    ring = Ring("unlinksnoop", capacity * 260)
    total = 0
    for size in sizes:
        batch = unlinks(total, size)
        assert ring.append(batch, none_lost(batch)) == size
        total += size
    assert ring.end == total
    assert ring.first == max(0, total - ring.capacity)
    kept = ring.slice(0, total)
    assert kept.text("path") == [b"/file/%d" % n for n in range(ring.first, total)]
    some = np.arange(ring.first, total)[::-3]
    assert ring.take(some).text("path") == [b"/file/%d" % n for n in some]


def test_ring_evicts_rows_whose_text_does_not_fit() -> None:
    ring = Ring("unlinksnoop", 1000 * 260)
    long = b"x" * 4000
    for start in range(0, 900, 100):
        batch = unlinks(start, 100, long)
        assert ring.append(batch, none_lost(batch)) == 100
    assert ring.end == 900
    assert len(ring) == (1 << 20) // 4000
    assert ring.slice(ring.first, ring.end).text("path") == [long] * len(ring)


def test_ring_takes_many_rows_with_text_at_once() -> None:
    ring = Ring("unlinksnoop", 2000 * 260)
    batch = unlinks(0, 3000)
    ring.append(batch, none_lost(batch))
    numbers = np.arange(ring.first, ring.end)
    assert ring.take(numbers).text("path") == ring.slice(ring.first, ring.end).text("path")


def test_ring_stores_selected_rows_without_the_text_of_others() -> None:
    ring = Ring("unlinksnoop", 100 * 260)
    batch = unlinks(0, 50).take(np.arange(0, 50, 7))
    ring.append(batch, none_lost(batch))
    assert ring.slice(0, 50).text("path") == [b"/file/%d" % n for n in range(0, 50, 7)]
    assert ring._heap_end == sum(len(b"/file/%d" % n) for n in range(0, 50, 7))


def test_ring_survives_text_that_reaches_outside_its_batch() -> None:
    rows = unlinks(0, 3).rows.copy()
    rows["tail"][1], rows["path_len"][1] = 10_000, 50
    rows["path_len"][2] = 4_000_000_000
    ring = Ring("unlinksnoop", 100 * 260)
    ring.append(Batch("unlinksnoop", rows, b"/file/0/file/1/file/2"), np.zeros(3, np.uint32))
    assert ring.slice(0, 3).text("path") == [b"/file/0", b"", b"/file/2"]


def test_floor_holds_rows_and_says_what_was_not_kept() -> None:
    table = Table("unlinksnoop", 100 * 260)
    table.append(unlinks(0, table.ring.capacity))
    table.floor = 90
    table.append(unlinks(100, 200))
    assert table.first == 90
    assert table.end == 90 + table.ring.capacity
    assert table.unkept.total() == 300 - table.end
    assert table.received == 300
    table.floor = None
    table.append(unlinks(300, 1))
    assert table.marks[table.end - 1] == ["110 not kept: the frozen rows filled the history"]


def test_processes_of_one_id_are_told_apart_by_their_start() -> None:
    store = Store(usual())
    lives = [(100, 90), (200, 90), (300, 250), (350, 0), (400, 250)]
    for program in ("execsnoop", "unlinksnoop"):
        store.tables[program].append(make(program, [{"pid": 7, "ts": ts, "start_ns": start} for ts, start in lives]))
    own = {90: [100, 200, 350], 250: [300, 350, 400]}
    for at, start in ((100, 90), (249, 90), (250, 250), (400, 250), (None, 250)):
        assert store.started(7, at) == start
        life = store.process(7, at)
        assert life.batches["execsnoop"].rows["ts"].tolist() == own[start]
        assert life.total == 2 * len(own[start])
    assert store.process(7, 80).total == 2, "of one that started before, only what does not know its start"


def test_holes_in_sequence_numbers_are_found_where_they_are() -> None:
    batch = make("runqslower", [{"cpu": c, "seq": s} for c, s in [(0, 5), (1, 9), (0, 6), (0, 10), (1, 10), (1, 13)]])
    sequence = SequenceCheck()
    assert sequence.missing(batch).tolist() == [0, 0, 0, 3, 0, 2]
    later = make("runqslower", [{"cpu": 1, "seq": 14}, {"cpu": 0, "seq": 21}])
    assert sequence.missing(later).tolist() == [0, 10]


def test_late_events_are_no_gap() -> None:
    batch = make("runqslower", [{"seq": s} for s in (0, 3, 1, 2, 4)])
    assert SequenceCheck().missing(batch).tolist() == [0, 2, 0, 0, 0]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=80), st.integers(1, 20))
def test_gaps_add_up_however_events_are_cut_into_batches(steps: list[tuple[int, int]], cut: int) -> None:
    position = dict.fromkeys(range(4), 0)
    events, expected = [], []
    seen: set[int] = set()
    for cpu, skipped in steps:
        position[cpu] += skipped
        events.append({"cpu": cpu, "seq": position[cpu]})
        expected.append(skipped if cpu in seen else 0)
        seen.add(cpu)
        position[cpu] += 1
    sequence = SequenceCheck()
    found: list[int] = []
    for start in range(0, len(events), cut):
        found += sequence.missing(make("runqslower", events[start : start + cut])).tolist()
    assert found == expected


def test_restart_and_skip_open_no_gap_and_leave_a_mark() -> None:
    model = Model(["unlinksnoop"])
    table = model.store.tables["unlinksnoop"]
    for batch in (unlinks(1000, 5), unlinks(0, 5)):
        model.take(hello())
        model.take(Arrived((batch,), 0))
    model.take(Skipped("unlinksnoop", 500))
    model.take(Arrived((unlinks(505, 5),), 0))
    assert table.marks[5] == ["collector restarted"]
    assert table.marks[10] == ["500 not kept: they came faster than the viewer reads"]
    assert (table.received, table.unkept.total()) == (515, 500)


def changed(ts_ns: int, *cpus: tuple[int, int, int]) -> stream.Changed:
    before = stream.Period("ringbuf", 4096, "timer", 4096, 1.0, 1, 0, 0, 0, 0, [1])
    return stream.Changed("unlinksnoop", before, "perfbuf", 4096, "timer", ts_ns, 5, 0, 0, list(cpus))


def test_a_change_stands_before_the_first_row_stamped_later() -> None:
    table = Table("unlinksnoop", 100 * 260)
    table.append(unlinks(0, 10))
    table.mark(changed(6))
    assert table.marks == {7: [changed(6)]}
    assert table.placed == [7]


def test_numbers_say_better_than_times_what_came_after_a_change() -> None:
    now = 10**12
    events = [(0, 5, 10), (1, 3, 11), (0, 6, 12), (1, 4, 13), (2, 0, 14), (0, 7, 15)]
    rows = [{"cpu": c, "seq": s, "ts": now + t} for c, s, t in events]
    for ends, row in [
        ([(0, 6, 7), (1, 3, 4)], 3),
        ([(0, 6, 7), (1, 4, -1), (2, 0, -1)], 5),
        ([(0, 6, 7), (1, 4, -1)], 4),
        ([(0, -1, 5), (1, -1, 3)], 0),
    ]:
        table = Table("unlinksnoop", 100 * 260)
        table.append(make("unlinksnoop", rows))
        table.mark(changed(now + 12, *ends))
        assert list(table.marks) == [row]


def test_numbers_of_an_earlier_collector_mean_nothing() -> None:
    table = Table("unlinksnoop", 100 * 260)
    table.append(unlinks(900, 10))
    table.restart()
    now = 10**12
    table.append(make("unlinksnoop", [{"seq": s, "ts": now + s} for s in range(9)]))
    table.mark(changed(now + 3, (0, 4, 5)))
    assert list(table.marks) == [15]


def test_a_change_that_waits_is_told_before_the_restart() -> None:
    table = Table("unlinksnoop", 100 * 260)
    table.append(unlinks(900, 10))
    now = 10**12
    table.mark(changed(now, (0, 909, 910)))
    assert table.at_end == [changed(now, (0, 909, 910))]
    table.restart()
    table.append(make("unlinksnoop", [{"seq": s, "ts": now + s} for s in range(905, 915)]))
    assert table.marks == {10: [changed(now, (0, 909, 910))]}
    assert table.at_end == []


def test_a_change_waits_for_the_first_row_stamped_later() -> None:
    table = Table("unlinksnoop", 100 * 260)
    table.append(unlinks(0, 10))
    table.mark(changed(12))
    assert table.marks == {}
    table.append(unlinks(10, 2))
    assert table.marks == {}
    table.append(unlinks(12, table.ring.capacity))
    assert table.marks == {13: [changed(12)]}
    table.append(unlinks(500, 40))
    assert table.marks == {}


def test_a_change_longer_ago_than_the_history_stands_at_its_beginning() -> None:
    table = Table("unlinksnoop", 100 * 260)
    table.append(unlinks(0, table.ring.capacity + 50))
    table.mark(changed(3))
    assert table.marks == {50: [changed(3)]}


def test_process_gives_its_events_of_all_tables_in_time_order() -> None:
    store = Store()
    feed = Feed()
    inbox = Inbox()
    feed.start(inbox.post)
    feed.play(12)
    for entry, _ in inbox.drain():
        if isinstance(entry, Arrived):
            for batch in entry.batches:
                store.append(batch)
    timeline = store.process(1111)
    times = [int(timeline.batches[p].rows["ts"][i]) for p, i in timeline.order]
    assert times == sorted(times)
    assert {p for p, _ in timeline.order} == set(usual())
    assert all((b.rows["pid"] == 1111).all() for b in timeline.batches.values())


def test_of_a_process_with_too_many_events_the_newest_are_given_and_all_are_counted() -> None:
    store = Store()
    for program, stamps in (("execsnoop", range(100, 110)), ("unlinksnoop", range(105, 125, 2))):
        store.append(make(program, [{"pid": 7, "ts": ts} for ts in stamps]))
    timeline = store.process(7, limit=8)
    assert [int(timeline.batches[p].rows["ts"][i]) for p, i in timeline.order] == [109, *range(111, 125, 2)]
    assert (len(timeline), timeline.total) == (8, 20)


def test_recent_values_newest_first_without_doubles() -> None:
    store = Store()
    store.append(unlinks(0, 30))
    assert store.recent("pid", 3) == [1, 0, 6]
    assert store.recent("path", 2) == [b"/file/29", b"/file/28"]
    assert store.recent("nonsense") == []


def test_inbox_lets_the_oldest_events_go_and_counts_them() -> None:
    inbox = Inbox(limit=200_000)
    feed = Feed(programs=("runqslower",))
    feed.start(inbox.post)
    for _ in range(10):
        feed.events({"runqslower": 500})
    feed.lose_collector()
    entries = [entry for entry, _ in inbox.drain()]
    skipped = sum(e.rows for e in entries if isinstance(e, Skipped))
    arrived = sum(len(b) for e in entries if isinstance(e, Arrived) for b in e.batches)
    assert skipped + arrived == 5000
    assert 0 < arrived <= 200_000 // SCHEMAS["runqslower"].dtype.itemsize
    assert isinstance(entries[-1], Lost)


def test_a_round_that_cannot_be_decoded_is_a_lost_stream() -> None:
    from ringtop.bpf import stream

    inbox = Inbox()
    inbox.post(stream.Round(0, 0, [stream.Rows("runqslower", b"half a row", b"")]))
    ((entry, _),) = inbox.drain()
    assert isinstance(entry, Lost)
    assert "whole rows" in entry.detail


@pytest.mark.parametrize("program", list(SCHEMAS))
def test_sorting_keys_of_text(program: str) -> None:
    ring = Ring(program, 1 << 20)
    if not ring.schema.tail:
        return
    name = ring.schema.tail[-1]
    values = [b"", b"zz", b"a", b"/very/long/name/that/is/cut/after/thirty-two/bytes", b"aa"]
    ring.append(make(program, [{name: v} for v in values]), np.zeros(5, np.uint32))
    assert ring.prefix(np.arange(5), name, 8).tolist() == [v[:8] for v in values]
