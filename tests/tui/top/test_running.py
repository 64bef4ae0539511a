"""RUN TIME: how long the processes of a row ran, from their last exec to their end."""

from __future__ import annotations

import pytest

from ringtop.bpf import filter as language
from ringtop.bpf.event.batch import Batch
from ringtop.tui.top.columns import columns
from ringtop.tui.top.top import Top
from tests.samples import Value, make
from tests.tui.top.events import MS, START, S, execs

BOTH = ("execsnoop", "exitsnoop")


def ends(*told: tuple[int, int, int], status: int = 0) -> Batch:
    """Ends of processes: each with its pid, the time of its exec and how long it ran, from a fork one ms before."""
    events: list[dict[str, Value]] = [
        {"pid": pid, "ts": at + ran, "ran": ran, "age": ran + MS, "status": status} for pid, at, ran in told
    ]
    return make("exitsnoop", events)


def run_times(top: Top, window: str = "start", program: str = "execsnoop") -> dict[bytes, tuple[int, int]]:
    """Total and median of the rows, by the first part of their keys."""
    return {row.key[0]: (row.ran_ns, row.ran_p50_ns) for row in top.report(program, window).rows}


def test_a_row_has_the_time_of_its_processes() -> None:
    top = Top(BOTH)
    top.take(make("execsnoop", execs(b"/bin/cc1", count=3)))  # pids 1000 to 1002, a ms apart
    top.take(make("execsnoop", execs(b"/bin/as", tid=2000)))
    top.take(ends((1000, START, 5 * MS), (1002, START + 2 * MS, 90 * MS), (2000, START, S)))
    told = run_times(top)
    assert told[b"cc1"] == (95 * MS, pytest.approx(5 * MS, rel=0.07))
    assert told[b"as"] == (S, pytest.approx(S, rel=0.07))
    assert {"RUN TIME", "RUN P50"} <= {c.title for c in columns(top.key("execsnoop"), top.report("execsnoop").measures)}


def test_its_last_exec_counts_and_no_other_process_of_its_id() -> None:
    top = Top(BOTH)
    top.take(make("execsnoop", [*execs(b"/bin/sh"), *execs(b"/bin/true", ts=START + 2 * MS)]))
    top.take(ends((1000, START + 2 * MS, MS)))
    assert run_times(top) == {b"sh": (0, 0), b"true": (MS, pytest.approx(MS, rel=0.07))}
    top.take(ends((1000, START + 2 * MS, 3 * S)))  # it has ended before
    top.take(make("execsnoop", execs(b"/bin/true", ts=START + 9 * S)))
    top.take(ends((1000, START + 5 * S, 5 * S)))  # of an exec that was lost
    assert run_times(top)[b"true"][0] == MS


def test_a_process_without_an_exec_that_was_seen_is_in_no_row() -> None:
    top = Top(BOTH)
    top.take(make("execsnoop", execs(b"/bin/sh")))
    forked = ends((1000, START, MS))
    forked.rows["age"] = forked.rows["ran"]
    top.take(forked)
    assert run_times(top) == {b"sh": (0, 0)}


def test_failed_execs_have_none() -> None:
    top = Top(BOTH)
    top.take(make("execsnoop", execs(b"/bin/sh")))
    top.take(make("execsnoop", execs(b"/none", ts=START + MS, ret=-13)))
    top.take(ends((1000, START, 7 * MS)))
    assert run_times(top)[b"sh"][0] == 7 * MS


def test_in_a_window_behind_a_filter_and_by_another_key() -> None:
    top = Top(BOTH)
    old, new = make("execsnoop", execs(b"/bin/sh")), make("execsnoop", execs(b"/bin/sh", ts=START + 99 * S, tid=7))
    both = [old, ends((1000, START, S)), new, ends((7, START + 99 * S, 2 * S))]
    behind = top.behind(language.parse("pid=7"))
    for batch in both:
        top.take(batch)
        behind.take(batch)
    assert run_times(top)[b"sh"][0] == 3 * S
    assert run_times(top, "10s")[b"sh"][0] == 2 * S
    assert run_times(behind)[b"sh"][0] == 2 * S, "the filter is for execs; it need not match their ends"
    top.fold_by("execsnoop", "exe", both)
    assert run_times(top)[b"/bin/sh"][0] == 3 * S


def test_the_ends_themselves_have_it_and_their_failures() -> None:
    top = Top(BOTH)
    for status, ran in ((0, MS), (1, MS), (-11, 2 * MS), (-11, 3 * MS)):
        top.take(ends((5, START, ran), status=status))
    (row,) = top.report("exitsnoop").rows
    assert (row.count, row.failed, row.errno, row.ran_ns) == (1, 3, b"SIGSEGV", 7 * MS)
    top.take(ends(*((pid, START, MS) for pid in range(9)), status=3))
    assert top.report("exitsnoop").verdict[0].endswith("fails 12 of 13 (exit code 3)")
    (whole,) = top.report("all").rows
    assert (whole.done, whole.failed, whole.total_ns) == ((0, 1), 12, 0)


def test_without_exitsnoop_there_is_no_such_column() -> None:
    measures = Top(["execsnoop"]).report("execsnoop").measures
    assert not measures.runs
    assert not any("RUN" in column.title for column in columns(Top(["execsnoop"]).key("execsnoop"), measures))


def test_many_keys_do_not_mix_them() -> None:
    """Rows are evicted and numbered anew while their processes run."""
    top = Top(BOTH, by={"execsnoop": "exe"}, most=8)
    for i in range(40):
        top.take(make("execsnoop", execs(b"/bin/%d" % i, tid=100 + i, count=1)))
        top.take(make("execsnoop", execs(b"/bin/often", tid=500 + i, count=3)))
    top.take(ends(*((500 + i, START, MS) for i in range(40))))
    told = run_times(top)
    assert sum(total for total, _ in told.values()) == told[b"/bin/often"][0] > 0
