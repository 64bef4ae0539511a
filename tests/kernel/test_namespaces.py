"""Inside other namespaces than the kernel's own, events are as right as outside."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from ringtop.bpf.common.errors import CANNOT_TRACE
from tests.kernel.loads import run_programs
from tests.kernel.tracing import PRIME, RINGTOP, assert_balanced, running

pytestmark = pytest.mark.beside


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


def test_a_limit_of_pids_of_its_own(tmp_path: Path) -> None:
    """Since Linux 6.14. The kernel's pids are higher than the limit inside: every wait can still be followed."""
    inside = 'echo 400 >/proc/sys/kernel/pid_max; exec "$@"'
    command = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", inside, "sh", *RINGTOP)
    with running(("runqslower", "--min-us", "0", "--duration", "1"), tmp_path / "summary.json", command) as trace:
        run_programs(PRIME)
        outcome = trace.wait()
    assert outcome.status == 0
    assert outcome.summary["runqslower"]["received"] > PRIME
    assert outcome.summary["runqslower"]["untracked"] == 0
    assert_balanced(outcome.summary)


@pytest.mark.parametrize("arguments", [("trace", "execsnoop"), ("bench",), ("doctor",), ()])
def test_root_inside_a_user_namespace(arguments: tuple[str, ...]) -> None:
    """Its capabilities are for the namespace alone."""
    ended = subprocess.run(
        ["unshare", "--user", "--map-root-user", *RINGTOP, *arguments], capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == CANNOT_TRACE
    told = ended.stdout + ended.stderr
    assert "root in a user namespace (a rootless container, unshare -U) has no rights over the kernel" in told
    assert "Run it on the host, outside the user namespace." in told
    assert "Run it as root" not in told, "no line gives another cure"
    assert "Traceback" not in told
