"""The line that says what stands out: rules with numbers; what losses might overturn is not said."""

from __future__ import annotations

from typing import Any

import pytest

from ringtop.tui.top.names import Host
from ringtop.tui.top.top import Top
from ringtop.tui.top.verdict import sentence
from tests.samples import make
from tests.tui.top.events import MS, START, S, deletions, execs, waits

WALL = 1_767_225_600 * S - START
"""From the events' clock to 2026-01-01 00:00:00 UTC."""


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    __import__("time").tzset()


class Parents(Host):
    """Where 1 is called init, and 812 thumbnail."""

    def comm(self, pid: int) -> bytes | None:
        return {1: b"init", 812: b"thumbnail"}.get(pid)


def said(top: Top, program: str, window: str = "start") -> str:
    """Its verdict."""
    return sentence(top.report(program, window).verdict)


def test_silence_is_an_answer() -> None:
    top = Top(["runqslower"])
    top.wall_offset_ns = WALL
    top.tick(START)
    top.tick(START + 12 * S)
    assert said(top, "runqslower") == "quiet for 12.0s, since the start."
    top.take(waits(b"a", [MS] * 23, ts=START + 13 * S))
    top.tick(START + 22 * S)
    assert "quiet" not in said(top, "runqslower")
    top.tick(START + 54 * S + 22 * MS)
    assert said(top, "runqslower") == "quiet for 41.0s (since 00:00:13); 23 events before."


def test_one_thing_is_told_as_one() -> None:
    top = Top(["unlinksnoop"])
    top.wall_offset_ns = WALL
    top.take(deletions([b"/tmp/a"], ts=START))
    top.tick(START + S)
    assert said(top, "unlinksnoop") == "nothing stands out: 1 key, the largest 100%."
    top.tick(START + 23 * S)
    assert said(top, "unlinksnoop").endswith("; 1 event before.")


def test_losses_come_first_with_what_happened_then() -> None:
    top = Top(["unlinksnoop"])
    top.wall_offset_ns = WALL
    top.take(deletions([b"/srv/cache/%d" % i for i in range(500)], ts=START + 8 * S, step=MS))
    top.take(deletions([b"/tmp/%d" % i for i in range(50)], ts=START + 20 * S, comm=b"gcc"))
    top.lost("unlinksnoop", 1207, START + 9 * S)
    assert said(top, "unlinksnoop").startswith("1,207 lost at 00:00:09: rm in /srv/cache/, 500 or more in 2 s.")
    report = top.report("unlinksnoop")
    assert (report.lost, report.exact) == (1207, False)
    top.tick(START + 21 * S)
    later = top.report("unlinksnoop", "10s")
    assert (later.lost, later.exact) == (0, True)
    assert "lost" not in sentence(later.verdict)


def test_a_name_that_was_never_found_and_by_whom() -> None:
    top = Top(["execsnoop"], host=Parents())
    tries = [execs(b"/opt/%d/convert" % i, [b"convert", b"-resize"], ts=START + i, ret=-2, ppid=812) for i in range(8)]
    top.take(make("execsnoop", [event for one in tries for event in one]))
    top.take(make("execsnoop", execs(b"/bin/ls", count=20, ts=START + MS)))
    top.tick(START + 5 * S)
    assert said(top, "execsnoop").startswith("convert was never found (8 attempts by thumbnail).")
    top.lost("execsnoop", 1, START + 4 * S)
    assert "never found" not in said(top, "execsnoop"), "it may have been among the lost"


def verdict_by(key: str, *some: list[dict[str, Any]]) -> str:
    """What is said of these execs, folded by *key*."""
    top = Top(["execsnoop"], {"execsnoop": key}, host=Parents())
    top.take(make("execsnoop", [event for one in some for event in one]))
    top.take(make("execsnoop", execs(b"/bin/ls", count=20, ts=START + MS)))
    top.tick(START + 5 * S)
    return said(top, "execsnoop")


KEYS = ["program", "subcommand", "command", "argv", "exe"]


@pytest.mark.parametrize("key", KEYS)
def test_a_program_that_is_in_one_folder_and_not_in_another_was_found(key: str) -> None:
    missing = execs(b"/opt/a/foo", count=23, ret=-2, ppid=812)
    there = execs(b"/opt/b/foo", [b"foo", b"-x"], tid=5000, ts=START + 2 * S)
    assert "never found" not in verdict_by(key, missing, there)
    assert verdict_by(key, missing).startswith("foo was never found (23 attempts by thumbnail).")


@pytest.mark.parametrize("key", KEYS)
def test_tries_in_all_folders_count(key: str) -> None:
    tries = [execs(b"/opt/%d/foo" % i, [b"foo", b"/srv/x"], ts=START + i, ret=-2, ppid=812) for i in range(8)]
    other = execs(b"/opt/seafood", count=5, tid=7000, ret=-13)
    said = verdict_by(key, *tries, other)
    assert said.startswith("foo was never found (8 attempts by thumbnail).")
    assert "seafood fails 5 of 5 (EACCES)." in said


def test_a_program_that_fails_now_and_then() -> None:
    top = Top(["execsnoop"])
    top.take(make("execsnoop", [*execs(b"/bin/big", count=94), *execs(b"/bin/big", count=6, ts=START + S, ret=-7)]))
    assert "big fails 6 of 100 (E2BIG)." in said(top, "execsnoop")
    top.lost("execsnoop", 30, START + S)
    assert "fails" not in said(top, "execsnoop"), "6 of 130 would be less than a twentieth"
    top.lost("execsnoop", (1 << 64) - 1, START + S)
    assert "fails" not in said(top, "execsnoop"), "a ledger's counters have 64 bits, NumPy's numbers 63"


def test_a_search_along_path() -> None:
    top = Top(["execsnoop"], host=Parents())
    for i in range(23):
        tries = [execs(b"/opt/%d/as" % j, ts=START + i * 10 * MS + j, ret=-2, tid=i, ppid=812) for j in range(8)]
        found = execs(b"/usr/bin/as", ts=START + i * 10 * MS + 9, tid=i, ppid=812)
        top.take(make("execsnoop", [event for one in [*tries, found] for event in one]))
    assert said(top, "execsnoop").startswith("89%: thumbnail's PATH search for as.")


def test_one_parent_that_starts_programs_fast() -> None:
    top = Top(["execsnoop"], host=Parents())
    for second in range(25):
        top.take(
            make("execsnoop", execs(b"/bin/true", count=40, ts=START + second * S, ppid=812, tid=10_000 + second * 100))
        )
        top.take(make("execsnoop", execs(b"/bin/other", count=2, ts=START + second * S, ppid=1)))
    top.tick(START + 25 * S)
    assert "thumbnail 812 starts true 40/s." in said(top, "execsnoop")
    top.take(make("execsnoop", execs(b"/bin/true", ts=START + 25 * S, ppid=1)))
    top.tick(START + 26 * S)
    assert "starts true" not in said(top, "execsnoop"), "not one parent only"


def test_who_waits_most_and_longest() -> None:
    top = Top(["runqslower"])
    top.take(waits(b"cc1", [40 * MS] * 10, prev_comm=b"as", prev_pid=3))
    top.take(waits(b"gc", [212 * MS], prev_comm=b"as", prev_pid=3))
    top.take(waits(b"sh", [10 * MS] * 5, prev_comm=b"as", prev_pid=3))
    assert said(top, "runqslower") == "cc1 waits most: 60% of all waiting, after as. Worst: gc, 212 ms."
    for comm, why in (
        (b"as", ", because of as."),
        (b"(idle)", ", while the CPU was idle (throttled?)."),
        (b"(not recorded)", ", after as."),
    ):
        blamed = Top(["runqslower"])
        blamed.take(waits(b"cc1", [40 * MS] * 10, prev_comm=b"as", prev_pid=3, culprit_comm=comm))
        assert said(blamed, "runqslower") == f"cc1 waits most: 100% of all waiting{why}"
    top.lost("runqslower", 1, START + S)
    assert "waits most" not in said(top, "runqslower")
    assert "Worst" not in said(top, "runqslower")


def test_a_share_of_what_was_deleted_leaves_out_what_failed() -> None:
    top = Top(["unlinksnoop"])
    top.take(deletions([b"/srv/cache/%d" % i for i in range(60)]))
    top.take(deletions([b"/tmp/%d" % i for i in range(40)], comm=b"gcc"))
    assert "60% under /srv/cache/ by rm." in said(top, "unlinksnoop")
    missing = [{"ts": START + i, "comm": b"sh", "pid": 8, "path": b"/none/%d" % i, "ret": -2} for i in range(30)]
    top.take(make("unlinksnoop", missing))
    assert "60% under /srv/cache/ by rm." in said(top, "unlinksnoop")


def test_more_to_run_than_cpus() -> None:
    top = Top(["runqslower"])
    for i in range(5):
        top.take(waits(b"p%d" % i, [10 * MS] * 10, preempted=1))
    top.take(waits(b"w", [10 * MS] * 10))
    assert said(top, "runqslower") == "Most waits are preemptions: more tasks than CPUs."


def test_where_most_deletions_are() -> None:
    top = Top(["unlinksnoop"])
    top.take(deletions([b"/srv/cache/%d" % i for i in range(82)]))
    top.take(deletions([b"/tmp/%d" % i for i in range(18)], comm=b"gcc"))
    assert said(top, "unlinksnoop") == "82% under /srv/cache/ by rm."
    top.lost("unlinksnoop", 5, START + S)
    assert "At least 78% under /srv/cache/ by rm." in said(top, "unlinksnoop")
    top.lost("unlinksnoop", 500, START + S)
    assert "under" not in said(top, "unlinksnoop")


def test_a_burst() -> None:
    top = Top(["unlinksnoop"])
    for second in range(0, 280, 2):
        top.take(deletions([b"/a/x"], ts=START + second * S))
    top.take(deletions([b"/a/x"] * 200, ts=START + 282 * S))
    top.tick(START + 283 * S)
    assert said(top, "unlinksnoop").startswith("rm in /a/: 203 in 10 s, was 0.5/s.")
    (row,) = top.report("unlinksnoop").rows
    assert row.marks == "^"


def test_across_programs() -> None:
    top = Top(["execsnoop", "unlinksnoop"])
    top.take(deletions([b"/a/%d" % i for i in range(99)], comm=b"rm"))
    top.take(make("execsnoop", execs(b"/bin/a", count=20, comm=b"sh")))
    assert said(top, "all") == "sh: 100% of all programs started. rm: 100% of all deletions."


def test_nothing_stands_out() -> None:
    top = Top(["unlinksnoop"])
    for i in range(5):
        top.take(deletions([b"/%d/x" % i] * 20))
    assert said(top, "unlinksnoop") == "nothing stands out: 5 keys, the largest 20%."


def test_names_are_made_safe() -> None:
    top = Top(["unlinksnoop"])
    top.take(deletions([b"/\x1b[2J/x"] * 23, comm=b"\x1b]0;a\x07"))
    assert said(top, "unlinksnoop") == r"100% under /\x1b[2J/ by \x1b]0;a\x07."
