"""Nothing is done for one event in Python: a round of many events makes as few calls as one of some."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest

from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.top.keys import keys
from ringtop.tui.top.top import Top
from tests.samples import make
from tests.tui.top.events import START

MOST = 2_000
EVENTS = 50_000
PATH = 96


def numbers(count: int, seed: int) -> Batch:
    """Waits of twelve comms."""
    rng = np.random.default_rng(seed)
    rows = np.zeros(count, SCHEMAS["runqslower"].dtype)
    rows["ts"] = START + np.arange(count)
    rows["comm"] = np.array([b"comm-%d" % i for i in range(12)])[rng.integers(0, 12, count)]
    rows["prev_comm"] = np.array([b"prev-%d" % i for i in range(12)])[rng.integers(0, 12, count)]
    rows["pid"] = rows["tid"] = rng.integers(1, 5000, count)
    rows["latency"] = rng.lognormal(16, 1, count)
    return Batch("runqslower", rows, b"")


def texts(count: int, seed: int) -> Batch:
    """Deletions of twelve comms in a thousand directories, paths of 96 bytes."""
    rng = np.random.default_rng(seed)
    rows = np.zeros(count, SCHEMAS["unlinksnoop"].dtype)
    rows["ts"] = START + np.arange(count)
    rows["comm"] = np.array([b"comm-%d" % i for i in range(12)])[rng.integers(0, 12, count)]
    rows["pid"] = rng.integers(1, 5000, count)
    rows["tail"], rows["path_len"] = np.arange(count) * PATH, PATH
    folders = np.array([(b"/srv/%04d/" % i).ljust(PATH - 17, b"x") + b"/" for i in range(1000)])
    names = np.array([b"%016d" % i for i in range(count)])
    tails = np.column_stack(
        [
            folders[rng.integers(0, 1000, count)].view(np.uint8).reshape(count, -1),
            names.view(np.uint8).reshape(count, -1),
        ]
    )
    return Batch("unlinksnoop", rows, tails.tobytes())


def commands(count: int, seed: int) -> Batch:
    """Execs of a compiler, each of another file, and searches for it."""
    events = [
        {
            "ts": START + i,
            "tid": seed + i // 4,
            "ret": 0 if i % 4 == 3 else -2,
            "filename": b"/%d/bin/cc1" % (i % 4),
            "argv": [b"cc1", b"-quiet", b"-DX=%d" % i, b"file%d.c" % i],
        }
        for i in range(count)
    ]
    return make("execsnoop", events)


def calls(act: Callable[[], None]) -> int:
    """Calls of Python's and of C's functions."""
    seen = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal seen
        seen += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(None)
    return seen


@pytest.mark.parametrize(("load", "count"), [(numbers, EVENTS), (texts, EVENTS), (commands, 5_000)])
def test_a_round_makes_few_calls(load: Callable[[int, int], Batch], count: int) -> None:
    first = load(count, 1)
    for key in keys(first.program):
        top = Top(by={first.program: key.name})
        top.take(first)
        second = load(count, 2)
        made = calls(lambda: top.take(second))  # noqa: B023
        assert made <= MOST, key.name
        assert top.report(first.program).events == 2 * count
