"""Every event tells its process's parent by name, and who forked it, even when that has ended since."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.kernel import syscall
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.marks import Marks
from ringtop.bpf.kernel.origins import Origins
from tests.kernel.loads import fork_named
from tests.kernel.old import old_kernel
from tests.kernel.tracing import BY_EACH_LOADER, Tracing, assert_balanced


@BY_EACH_LOADER
def test_an_orphan_tells_who_forked_it(tracing: Tracing, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    def orphan(parent: int) -> None:
        while os.getppid() == parent:
            time.sleep(0.001)
        (tmp_path / "file").unlink()
        os.execv("/bin/true", ["true", str(tmp_path)])

    def middle() -> None:
        me = os.getpid()
        if os.fork() == 0:
            orphan(me)

    running = tracing("runqslower", "execsnoop", "unlinksnoop", "--min-us", "0")
    pid = fork_named(b"middle", middle)
    os.waitpid(pid, 0)
    time.sleep(0.3)
    outcome = running.finish()
    (started,) = (r for r in outcome.rows if r.get("argv") == ["true", str(tmp_path)])
    mine = [r for r in outcome.rows if r["pid"] == started["pid"]]
    assert {r["program"] for r in mine} == {"runqslower", "execsnoop", "unlinksnoop"}
    assert {(r["origin"], r["origin_pid"]) for r in mine} == {("middle", pid)}
    assert started["ppid"] != pid
    assert started["parent"] == Path(f"/proc/{started['ppid']}/comm").read_text().strip()
    assert len({r["start_ns"] for r in mine}) == 1
    assert_balanced(outcome.summary)


@BY_EACH_LOADER
def test_a_parent_that_lives_shortly_is_named(tracing: Tracing) -> None:
    def parent() -> None:
        child = os.fork()
        if child == 0:
            os.execv("/bin/true", ["true", "of a short-lived parent"])
        os.waitpid(child, 0)

    running = tracing("execsnoop")
    pid = fork_named(b"short-lived", parent)
    os.waitpid(pid, 0)
    rows: list[dict[str, Any]] = running.finish().rows
    (row,) = (r for r in rows if r["argv"] == ["true", "of a short-lived parent"])
    assert (row["ppid"], row["parent"]) == (row["origin_pid"], row["origin"]) == (pid, "short-lived")


@pytest.mark.parametrize("kernel", [Kernel, old_kernel])
def test_who_forked_is_kept_with_and_without_btf(kernel: Callable[[], Kernel]) -> None:
    with closing(Origins()) as origins:
        origins.attach(kernel())
        os.waitpid(pid := fork_named(b"child", lambda: None), 0)
        kept = np.zeros(3, np.uint64)
        syscall.map_lookup(origins.fd, pid, kept)
    assert kept.view(np.uint32)[0] == os.getpid()
    assert kept.tobytes()[4:20].rstrip(b"\0") == Path("/proc/self/comm").read_bytes().rstrip(b"\n")


def test_marks_are_made_where_no_hook_sees_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    this = old_kernel()
    monkeypatch.setattr(Kernel, "tracepoint_fields", lambda *_: {})
    with closing(Marks(this)) as marks, pytest.raises(CannotTrace, match="processes cannot be followed"):
        marks.origins.attach(this)
