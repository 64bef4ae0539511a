"""A slow wait is because of who used the CPU meanwhile, and not of who had it last."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.kernel.loads import fork_named, real_time, spin
from tests.kernel.tracing import BY_EACH_LOADER, PRIME, Tracing


def _hog() -> None:
    real_time(10)
    while True:
        spin(3_000_000)
        os.sched_yield()


def _victim() -> None:
    """Use under a hundredth of the CPU."""
    real_time(10)
    while True:
        time.sleep(0.001)
        spin(10_000)


@contextmanager
def crowd() -> Iterator[tuple[int, int, int]]:
    """Two hogs and their victim on CPU 0, named so. Real-time priorities keep nearly all other tasks out."""
    pids = [fork_named(name, body) for name, body in ((b"hog-a", _hog), (b"hog-b", _hog), (b"victim", _victim))]
    try:
        yield pids[0], pids[1], pids[2]
    finally:
        for pid in pids:
            os.kill(pid, 9)
            os.waitpid(pid, 0)


@BY_EACH_LOADER
def test_the_hogs_are_named(tracing: Tracing) -> None:
    running = tracing("runqslower", "--min-us", "2000")
    with crowd() as (hog, other, victim):
        time.sleep(1.5)
    others = {hog: {other: "hog-b"}, other: {hog: "hog-a"}, victim: {hog: "hog-a", other: "hog-b"}}
    rows = [r for r in running.finish().rows if r["pid"] in others]
    right = [r for r in rows if others[r["pid"]].get(r["culprit_pid"]) == r["culprit_comm"]]
    assert len(rows) > PRIME
    assert len(right) >= 0.95 * len(rows), [r for r in rows if r not in right]
    assert all(r["culprit_share"] > 100 / 3 for r in right)
