"""Every way into the ring: a prime number of each thing is as many rows, and a ring too small says what it lost."""

from __future__ import annotations

import os
import subprocess

import pytest

from ringtop.bpf.common.sizes import EMITS
from tests.kernel.loads import Storm, Waits
from tests.kernel.tracing import BY_EACH_LOADER, PRIME, Tracing, assert_balanced, assert_explained

ME = f"ppid={os.getpid()}"
ARGUMENTS = ["x" * (i * 8000 // PRIME) for i in range(PRIME)]
PATHS = ["/nonexistent/" + "y/" * (i * 2000 // PRIME) for i in range(PRIME)]


def delete(paths: list[str]) -> int:
    """Have a child try to; its pid."""
    pid = os.fork()
    if pid == 0:
        for path in paths:
            try:
                os.unlink(path)
            except OSError:
                continue
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


@BY_EACH_LOADER
@pytest.mark.parametrize("emit", EMITS)
def test_events_of_all_sizes_are_rows(tracing: Tracing, emit: str) -> None:
    waits = Waits(preempted=False)
    try:
        running = tracing("runqslower", "execsnoop", "unlinksnoop", "--emit", emit, "--capture", ME)
        waits.force(PRIME)
        for argument in ARGUMENTS:
            subprocess.run(["/bin/true", argument], check=True)
        child = delete(PATHS)
        outcome = running.finish()
    finally:
        waits.close()
    assert outcome.status == 0, outcome.err
    by = {program: [r for r in outcome.rows if r["program"] == program] for program in outcome.summary}
    assert sum(r["tid"] == waits.victim and r["prev_tid"] == waits.hog for r in by["runqslower"]) == PRIME
    assert [(r["filename"], r["argv"]) for r in by["execsnoop"]] == [("/bin/true", ["/bin/true", a]) for a in ARGUMENTS]
    assert [(r["pid"], r["path"]) for r in by["unlinksnoop"]] == [(child, path) for path in PATHS]
    assert_balanced(outcome.summary)


@BY_EACH_LOADER
@pytest.mark.parametrize(
    ("emit", "wakeup"), [("output+query", "timer"), ("reserve", "every"), ("reserve+query", "batch:64")]
)
def test_a_ring_of_four_pages_loses_events_and_says_so(tracing: Tracing, emit: str, wakeup: str) -> None:
    storm = Storm(20_000)
    running = tracing("unlinksnoop", "--emit", emit, "--buffer", "4P", "--wakeup", wakeup, "--capture", ME)
    with running.asleep():
        storm.run()
    again = Storm(1_000)
    again.run()
    outcome = running.finish()
    assert outcome.summary["unlinksnoop"]["dropped"]["full"] > 0
    assert_explained(outcome, storm.total + again.total)


@BY_EACH_LOADER
@pytest.mark.parametrize("emit", EMITS[1:])
def test_what_can_never_fit_is_a_loss(tracing: Tracing, emit: str) -> None:
    running = tracing("execsnoop", "--emit", emit, "--buffer", "2P", "--capture", ME)
    for argument in ("short", "x" * 8180, "short"):
        subprocess.run(["/bin/true", argument], check=True)
    outcome = running.finish()
    assert [r["argv"][1] for r in outcome.rows] == ["short", "short"]
    assert outcome.summary["execsnoop"]["dropped"]["full"] == 1
    assert_balanced(outcome.summary)
