"""More keys than there are rows for: memory stays fixed, nothing is miscounted, and what may be missing is stated."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.top.rows import MOST
from ringtop.tui.top.slots import WINDOWS
from ringtop.tui.top.top import Top
from tests.tui.top.events import START, S


def by_tid(tids: np.ndarray, ts: np.ndarray | int = START) -> Batch:
    """An event of each of *tids*."""
    rows = np.zeros(len(tids), SCHEMAS["runqslower"].dtype)
    rows["tid"], rows["ts"], rows["latency"] = tids, ts, 1_000_000
    return Batch("runqslower", rows, b"")


@given(
    st.lists(st.lists(st.integers(0, 40), min_size=1, max_size=60), max_size=8),
    st.sampled_from(["start", *WINDOWS]),
)
def test_what_a_row_may_lack_is_stated(batches: list[list[int]], window: str) -> None:
    top = Top(["runqslower"], {"runqslower": "tid"}, most=4)
    true: Counter[int] = Counter()
    for second, tids in enumerate(batches):
        top.take(by_tid(np.array(tids), START + second * S))
        true.update(tids)
    report = top.report("runqslower", window, rows=100)
    assert sum(row.events for row in report.rows) + report.others.events == sum(true.values()) == report.events
    for row in report.rows:
        count = true[int(row.key[0])]
        assert row.count <= count <= row.count + row.error
        assert row.error <= sum(true.values()) / 5
    assert len(report.rows) <= 8
    if report.exact:
        assert {int(row.key[0]): row.count for row in report.rows} == dict(true)


@pytest.mark.slow
def test_a_million_keys_and_ten_that_matter() -> None:
    rng = np.random.default_rng(23)
    often = np.arange(10) + 1
    tids = np.concatenate([np.repeat(often, 50_000), np.arange(1_000_000) + 1_000])
    rng.shuffle(tids)
    top = Top(["runqslower"], {"runqslower": "tid", "all": "cpu"})
    for some in np.array_split(tids, 30):
        top.take(by_tid(some))
    report = top.report("runqslower", sort="count", rows=2 * MOST)
    assert {int(row.key[0]) for row in report.rows[:10]} == set(often.tolist())
    for row in report.rows[:10]:
        assert row.count <= 50_000 <= row.count + row.error
    assert max(row.error for row in report.rows) <= 1_500_000 // (MOST + 1) == 91
    assert report.events == 1_500_000
    assert sum(row.events for row in report.rows) + report.others.events == 1_500_000
    assert report.keys == pytest.approx(1_000_010, rel=0.02)
    assert not report.exact


MEASURE = """
import sys, numpy as np
from tests.tui.top.test_memory import by_tid, rss
from ringtop.tui.top.top import Top
top = Top(["runqslower"], {"runqslower": "tid", "all": "cpu"})
rng = np.random.default_rng(1)
top.take(by_tid(rng.integers(0, 100, 50_000)))
top.report("runqslower")
before = rss()
for i in range(20):
    top.take(by_tid(np.arange(i * 50_000, (i + 1) * 50_000)))
    top.report("runqslower")
print(rss() - before)
"""


def rss() -> int:
    """Memory of this process, bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


@pytest.mark.slow
def test_a_million_keys_take_little_memory() -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "MALLOC_TRIM_THRESHOLD_": "0"}
    ended = subprocess.run([sys.executable, "-c", MEASURE], env=environment, capture_output=True, text=True, check=True)
    assert int(ended.stdout) <= 16 << 20


def test_hostile_names_do_not_fill_what_is_kept_beside_rows() -> None:
    """Culprits, commands, units and processes are kept by name, too: of each only so many."""
    top = Top(["runqslower"], {"runqslower": "cpu"})
    rows = by_tid(np.arange(50_000)).rows
    for start in range(0, 200_000, 50_000):
        numbers = np.arange(start, start + 50_000)
        rows["prev_comm"] = numbers.astype("S16")
        rows["prev_pid"] = rows["pid"] = numbers + 1
        top.take(Batch("runqslower", rows, b""))
    report = top.report("runqslower")
    assert report.rows[0].count == 200_000
    assert report.rows[0].pids == pytest.approx(200_000, rel=0.5)
