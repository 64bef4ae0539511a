"""A search along PATH is one thing, not eight failures; a name that is nowhere is one look-up of eight tries."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from ringtop.tui.top.report import Row
from ringtop.tui.top.top import Top
from tests.samples import make
from tests.tui.top.events import MS, START, S, execs

PATH = [b"/opt/%d/" % i for i in range(8)]
NOT_THERE = (-2, -20, -13)


def searched(name: bytes, count: int, found: bool, ts: int = START) -> list[dict[str, object]]:
    """*count* threads look for *name* in eight empty directories, and then where it is."""
    events: list[dict[str, object]] = []
    for i in range(count):
        begin = ts + i * 10 * MS
        for j, folder in enumerate(PATH):
            events += execs(folder + name, ts=begin + j * 1000, ret=-2, tid=5000 + i)
        if found:
            events += execs(b"/usr/bin/" + name, ts=begin + 9000, tid=5000 + i, comm=name)
    return events


def rows(top: Top, program: str = "execsnoop") -> dict[str, Row]:
    """By key."""
    return {" ".join(part.decode() for part in row.key): row for row in top.report(program).rows}


def test_a_search_that_finds_is_no_failure() -> None:
    top = Top(["execsnoop"])
    top.take(make("execsnoop", searched(b"true", 100, True)))  # type: ignore[arg-type]
    top.tick(START + 10 * S)
    (row,) = rows(top).values()
    assert (row.count, row.searched, row.failed, row.lookups) == (100, 800, 0, 0)
    assert row.errno == b""
    assert row.marks == ""


def test_a_search_that_finds_nothing_is_one_look_up() -> None:
    top = Top(["execsnoop"])
    for i in range(10):
        top.take(make("execsnoop", searched(b"nosuch", 10, False, START + i * 200 * MS)))  # type: ignore[arg-type]
    assert rows(top)["nosuch"].searched > 0, "not decided yet"
    top.tick(START + 10 * S)
    row = rows(top)["nosuch"]
    assert (row.count, row.searched, row.failed, row.lookups) == (0, 0, 800, 100)
    assert row.errno == b"ENOENT"
    assert top.report("execsnoop").verdict[0].startswith("nosuch was never found (800 attempts")


def test_one_thread_that_looks_again_and_again() -> None:
    top = Top(["execsnoop"])
    events = [
        execs(folder + b"gone", ts=START + i * 100 * MS + j, ret=-2) for i in range(23) for j, folder in enumerate(PATH)
    ]
    for one in events:
        top.take(make("execsnoop", one))
    top.tick(START + 10 * S)
    row = rows(top)["gone"]
    assert (row.failed, row.lookups) == (23 * 8, 23)


def test_other_errors_are_failures_at_once() -> None:
    top = Top(["execsnoop"])
    top.take(make("execsnoop", [*execs(b"/bin/big", ret=-7), *execs(b"/bin/big", ts=START + MS)]))
    row = rows(top)["big"]
    assert (row.count, row.failed, row.searched, row.errno) == (1, 1, 0, b"E2BIG")


def test_what_becomes_a_failure_does_so_where_it_happened() -> None:
    top = Top(["execsnoop"])
    top.take(make("execsnoop", searched(b"nosuch", 1, False)))  # type: ignore[arg-type]
    for window in ("10s", "1min", "5min", "start"):
        (row,) = top.report("execsnoop", window).rows
        assert (row.failed, row.searched) == (0, 8), window
    top.tick(START + 5 * S)
    for window in ("10s", "1min", "5min", "start"):
        (row,) = top.report("execsnoop", window).rows
        assert (row.failed, row.searched) == (8, 0), window
    top.tick(START + 30 * S)
    assert top.report("execsnoop", "10s").rows == ()


def expected(events: list[dict[str, int]]) -> Counter[str]:
    """Tries of a thread for a name that end in success within a second are searched; by plain loops."""
    found: Counter[str] = Counter()
    for i, event in enumerate(events):
        if event["ret"] == 0:
            found["done"] += 1
        elif event["ret"] not in NOT_THERE:
            found["failed"] += 1
        else:
            ends = [
                e["ts"] for e in events[i:] if e["ret"] == 0 and (e["tid"], e["name"]) == (event["tid"], event["name"])
            ]
            found["searched" if ends and ends[0] - event["ts"] <= S else "failed"] += 1
    return found


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 1), st.sampled_from([0, -2, -13, -20, -7]), st.integers(0, 400)),
        max_size=30,
    ),
    st.randoms(use_true_random=False),
)
def test_outcomes_are_those_that_loops_find(steps: list[tuple[int, int, int, int]], chance: random.Random) -> None:
    """As long as a chain lasts less than a second: of one that goes on, the first second is decided together."""
    events, now = [], START
    last: dict[tuple[int, int], int] = {}
    for tid, name, ret, wait in steps:
        first = last.setdefault((tid, name), now)
        now += wait * MS + 1  # a thread calls execve once at a time
        if now - first > (S // 2 if ret in NOT_THERE else S):  # it is more than a second after all others of its chain
            now = max(now, first + 3 * S)
            last[tid, name] = now
        if ret == 0:
            del last[tid, name]
        events.append({"ts": now, "tid": tid, "name": name, "ret": ret})
    batch = [
        {
            "ts": e["ts"],
            "tid": e["tid"],
            "pid": e["tid"],
            "ret": e["ret"],
            "filename": b"/x/n%d" % e["name"],
            "argv": [b"n"],
        }
        for e in events
    ]
    top = Top(["execsnoop"], {"execsnoop": "uid"})
    start = 0
    while start < len(batch):
        stop = start + chance.randint(1, 8)
        top.take(make("execsnoop", batch[start:stop]))
        start = stop
    top.tick(now + 10 * S)
    report = top.report("execsnoop")
    told = Counter({"done": 0, "failed": 0, "searched": 0})
    for row in report.rows:
        told += Counter({"done": row.count, "failed": row.failed, "searched": row.searched})
    assert told == +expected(events)
