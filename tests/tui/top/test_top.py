"""The engine as a screen uses it: losses, filters, keys that are changed, a new beginning, a replay that went back."""

from __future__ import annotations

import numpy as np
import pytest

from ringtop.bpf import filter as language
from ringtop.bpf import stream
from ringtop.tui.source.source import Rewound
from ringtop.tui.top.columns import columns
from ringtop.tui.top.keys import keys
from ringtop.tui.top.measures import ALL
from ringtop.tui.top.report import Report
from ringtop.tui.top.top import Top
from tests.samples import NASTY, make
from tests.tui.top.events import MS, START, S, deletions, execs, waits


def counts(report: Report) -> dict[str, int]:
    """By key."""
    return {" ".join(part.decode() for part in row.key): row.count for row in report.rows}


def stats(lost: int, filtered: int, ts: int, cpu: int = 1) -> stream.Stats:
    """A ledger of runqslower."""
    one = stream.CpuStats(
        cpu=cpu, hits=0, filtered=filtered, emitted=0, received=0, dropped={"full": lost}, bytes=0, gaps=0,
        lost_records=0, fill=0, peak=0, inversions=0,
    )  # fmt: skip
    part = stream.ProgramStats("runqslower", "ringbuf", [one], 0, 0, 0, [], 0)
    return stream.Stats(ts, 0, [part], 0, 0)


def hello() -> stream.Hello:
    """A collector begins."""
    return stream.Hello("h", "6.1", "x86_64", "0", [0, 1], ["runqslower"], 1, 0, {})


def test_six_hundred_events_in_ten_seconds_and_then_none() -> None:
    top = Top(["runqslower"])
    top.tick(START)
    for second in range(10):
        top.take(waits(b"a", [MS] * 60, ts=START + second * S, step=16 * MS))
    for second, rate, minute in ((10, 60.0, 600), (20, 0.0, 600), (60, 0.0, 600), (71, 0.0, 0)):
        top.tick(START + second * S)
        assert [row.rate for row in top.report("runqslower").rows] == [rate]
        assert sum(row.count for row in top.report("runqslower", "1min").rows) == minute, second
        assert ("quiet" in " ".join(top.report("runqslower").verdict)) == (second >= 20)


def test_late_events_are_counted_where_they_belong() -> None:
    top = Top(["runqslower"])
    top.take(waits(b"a", [MS], ts=START + 100 * S))
    top.take(waits(b"a", [MS] * 3, ts=START + 70 * S))
    top.take(waits(b"a", [MS] * 5, ts=START + 10 * S))
    top.take(waits(b"a", [MS] * 7, ts=1))
    told = {
        window: sum(r.count for r in top.report("runqslower", window).rows)
        for window in ("10s", "1min", "5min", "start")
    }
    assert told == {"10s": 1, "1min": 4, "5min": 9, "start": 16}
    spark = top.report("runqslower").spark
    assert sum(spark) == 4
    assert (spark[-1], spark[-7]) == (1, 3)


def test_directories_are_those_of_the_full_path() -> None:
    """However a deletion gave its path."""
    top = Top(["unlinksnoop"], {"unlinksnoop": "dir2"})
    events = [(b"", b"/etc/zz/a"), (b"/etc/zz/", b"b"), (b"/etc/", b"zz/c"), (b"/jail", b"/etc/d"), (b"", b"e")]
    top.take(make("unlinksnoop", [{"ts": START, "place": place, "path": path} for place, path in events]))
    found = {row.key: sum(row.done) for row in top.report("unlinksnoop").rows}
    assert found == {(b"/etc/zz/",): 3, (b"/jail/etc/",): 1, (b"(relative)",): 1}


def test_losses_make_shares_ranges() -> None:
    top = Top(["unlinksnoop"])
    top.take(deletions([b"/a/x"] * 20 + [b"/b/x"] * 80))
    first, second = top.report("unlinksnoop").rows
    assert first.share is not None
    assert (first.share.low, first.share.high) == (0.8, 0.8)
    top.lost("unlinksnoop", 100, START + S)
    first, second = top.report("unlinksnoop").rows
    assert first.share is not None and second.share is not None
    assert (first.share.low, first.share.high) == (0.4, 0.9)
    assert (second.share.low, second.share.high) == (0.1, 0.6)


def test_ledgers_tell_what_is_lost_since_the_one_before() -> None:
    top = Top(["runqslower"])
    top.hear(hello())
    top.hear(stats(5, 10, START))
    top.hear(stats(7, 30, START + S))
    assert (top.report("runqslower").lost, top.report("runqslower").kept_out) == (7, 30)
    assert top.report(ALL).lost == 7
    top.hear(hello())
    top.hear(stats(1, 2, START + 2 * S))
    assert (top.report("runqslower").lost, top.report("runqslower").kept_out) == (8, 32)
    top.zero("runqslower")
    top.hear(stats(2, 5, START + 3 * S))
    assert (top.report("runqslower").lost, top.report("runqslower").kept_out) == (1, 3)


def test_only_what_is_selected_is_folded() -> None:
    top = Top(["execsnoop"], select=language.parse("comm=rt-b"))
    for name in (b"rt-a", b"rt-b", b"rt-c", b"rt-d"):
        top.take(make("execsnoop", execs(b"/x/" + name, count=250, comm=name)))
    assert counts(top.report("execsnoop")) == {"rt-b": 250}
    assert top.report(ALL).events == 250


def test_another_key_is_folded_from_what_is_kept() -> None:
    top = Top(["execsnoop"])
    batches = [make("execsnoop", execs(b"/bin/a", count=23, ts=START + i * S, tid=i * 100)) for i in range(4)]
    for batch in batches:
        top.take(batch)
    top.fold_by("execsnoop", "exe", batches[2:])
    report = top.report("execsnoop")
    assert (counts(report), report.since_ns) == ({"/bin/a": 46}, START + 2 * S)
    top.take(make("execsnoop", execs(b"/bin/b", ts=START + 5 * S)))
    assert counts(top.report("execsnoop")) == {"/bin/a": 46, "/bin/b": 1}
    top.fold_by("execsnoop", "command")
    assert counts(top.report("execsnoop")) == {"a": 92, "b": 1}, "it was kept meanwhile"


def test_tries_in_what_is_kept_are_decided_later() -> None:
    top = Top(["execsnoop"])
    tries = make("execsnoop", execs(b"/opt/x", count=3, ret=-2))
    top.take(tries)
    top.fold_by("execsnoop", "exe", [tries])
    assert top.report("execsnoop").rows[0].searched == 3
    top.tick(START + 3 * S)
    (row,) = top.report("execsnoop").rows
    assert (row.failed, row.searched) == (3, 0)


def test_cut_arguments_mark_the_row_that_they_belong_to() -> None:
    top = Top(["execsnoop"])
    whole, other = execs(b"/bin/a", [b"a", b"-x", b"y"], count=2), execs(b"/bin/b")
    top.take(make("execsnoop", [whole[0], {**whole[1], "truncated": 1}, *other]))
    report = top.report("execsnoop")
    first = columns(report.key, report.measures)[0]
    assert [(first.text(row, report), row.count, row.cut, row.sign) for row in report.rows] == [
        ("a -x ..", 2, True, "~"),
        ("b", 1, False, ""),
    ]
    top.fold_by("execsnoop", "exe", [])
    assert not any(row.cut for row in top.report("execsnoop").rows), "the file was not cut"


def test_a_key_that_is_too_long_to_show_ends_with_a_mark() -> None:
    top = Top(["execsnoop"], {"execsnoop": "argv"})
    top.take(make("execsnoop", [*execs(b"/bin/a", [b"a", b"x" * 253]), *execs(b"/bin/a", [b"a", b"x" * 254])]))
    report = top.report("execsnoop")
    first = columns(report.key, report.measures)[0]
    assert sorted(first.text(row, report) for row in report.rows) == ["a " + "x" * 253, "a " + "x" * 254 + "…"]


def test_a_new_beginning() -> None:
    top = Top(["runqslower"])
    top.take(waits(b"a", [MS] * 5))
    top.zero("runqslower")
    top.take(waits(b"b", [MS] * 3, ts=START + S))
    report = top.report("runqslower")
    assert (counts(report), report.events, report.since_ns) == ({"b": 3}, 3, START + 4 * MS)
    assert top.report(ALL).events == 8


def test_a_replay_that_goes_back_forgets() -> None:
    top = Top(["runqslower"])
    top.take(waits(b"a", [MS] * 5, ts=START + 100 * S))
    top.hear(Rewound())
    top.take(waits(b"b", [MS], ts=START))
    report = top.report("runqslower")
    assert (counts(report), report.since_ns, report.until_ns) == ({"b": 1}, START, START)


def test_a_row_that_is_kept_stays_when_it_leaves_the_window() -> None:
    top = Top(["runqslower"])
    top.take(waits(b"a", [MS]))
    (row,) = top.report("runqslower").rows
    top.take(waits(b"b", [MS], ts=START + 100 * S))
    assert counts(top.report("runqslower", "10s")) == {"b": 1}
    assert counts(top.report("runqslower", "10s", chosen=row.id)) == {"b": 1, "a": 0}


def test_a_part_of_the_rows_and_the_rest_as_others() -> None:
    top = Top(["runqslower"])
    for i in range(9):
        top.take(waits(b"p%d" % i, [(i + 1) * MS]))
    report = top.report("runqslower", first=2, rows=3)
    assert [row.key[0] for row in report.rows] == [b"p6", b"p5", b"p4"]
    assert (report.others.events, report.others.keys, report.keys, len(report.order)) == (6, 6, 9, 9)
    assert report.order[2:5].tolist() == [row.id for row in report.rows]


def test_rows_that_only_fail_stand_on_top() -> None:
    top = Top(["execsnoop"])
    top.take(make("execsnoop", execs(b"/bin/often", count=100)))
    for i in range(3):
        top.take(make("execsnoop", execs(b"/bin/bad%d" % i, count=i + 1, ret=-8)))
    found = [row.key[0] for row in top.report("execsnoop").rows]
    assert found == [b"bad2", b"bad1", b"often", b"bad0"]


def test_marks() -> None:
    top = Top(["runqslower"])
    top.tick(START)
    top.take(waits(b"old", [MS], ts=START + S))
    top.take(waits(b"new", [MS], ts=START + 31 * S))
    top.take(waits(b"slow", [100 * MS], ts=START + 2 * S))
    marks = {row.key[0]: row.marks for row in top.report("runqslower").rows}
    assert marks == {b"old": "", b"new": "+", b"slow": "!"}
    top.tick(START + 95 * S)
    assert {row.marks for row in top.report("runqslower").rows} == {""}


def test_every_key_of_every_program_folds_hostile_bytes() -> None:
    events = {
        "runqslower": [{"comm": t[:15], "prev_comm": t[:15], "prev_pid": 3} for t in NASTY],
        "execsnoop": [
            {"comm": t[:15], "filename": t, "argv": [t, b"-" + t, t], "ret": r} for t in NASTY for r in (0, -2)
        ],
        "unlinksnoop": [{"comm": t[:15], "path": t + b"/" + t} for t in NASTY],
    }
    for program, some in events.items():
        for key in keys(program):
            top = Top([program], {program: key.name})
            top.take(make(program, [{"ts": START, **event} for event in some]))  # type: ignore[dict-item]
            report = top.report(program, rows=100)
            for row in report.rows:
                for column in columns(report.key, report.measures):
                    text = column.text(row, report)
                    assert text.isprintable(), (key.name, column.name, text)


def test_a_program_that_nobody_asked_for_is_not_folded() -> None:
    top = Top(["runqslower"])
    top.take(deletions([b"/a"]))
    assert top.report(ALL).events == 0


def test_a_key_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="only by cpu, uid, unit, container, cgroup, comm"):
        Top(by={"runqslower": "exe"})


def test_an_empty_batch_is_nothing() -> None:
    top = Top(["runqslower"])
    top.take(waits(b"a", []))
    assert top.report("runqslower").events == 0


def test_reports_are_plain_data() -> None:
    top = Top(["runqslower"])
    top.take(waits(b"a", [MS]))
    (row,) = top.report("runqslower").rows
    assert not any(isinstance(getattr(row, name), np.generic) for name in row.__dataclass_fields__)
