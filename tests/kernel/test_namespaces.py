"""Inside other namespaces than the kernel's own, events are as right as outside."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from tests.kernel.loads import run_programs
from tests.kernel.tracing import PRIME, RINGTOP, assert_balanced, running


@pytest.mark.parametrize("ahead_s", [86_400, -60])
def test_a_monotonic_clock_of_its_own(tmp_path: Path, ahead_s: int) -> None:
    """As of a container that was moved here: its monotonic clock is not the one that stamps the events."""
    command = ("unshare", "--time", "--monotonic", str(ahead_s), *RINGTOP)
    capture = f"ppid={os.getpid()} and comm=true"
    with running(("execsnoop", "--capture", capture), tmp_path / "summary.json", command) as trace:
        before = time.time_ns()
        run_programs(PRIME)
        after = time.time_ns()
        outcome = trace.finish()
    assert len(outcome.rows) == PRIME
    assert_balanced(outcome.summary)
    for row in outcome.rows:
        at = np.datetime64(row["time"].removesuffix("Z"), "ns").astype(int)
        assert before - 1_000_000 <= at <= after + 1_000_000
        assert not row["late"]
