"""Names of processes, from folders that look like /proc."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ringtop.tui.process.lookup import LocalHost


def test_the_name_of_a_process() -> None:
    host = LocalHost()
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write(b"x")
        child.stdin.flush()
        assert child.stdout.read(1) == b"x", "it runs"
        assert host.comm(child.pid) == b"cat"
    finally:
        child.kill()
        child.wait()
    assert host.comm(child.pid) is None
    assert host.comm(-1) is None


def test_names_of_another_pid_namespace_are_not_told(tmp_path: Path) -> None:
    (tmp_path / "self" / "ns").mkdir(parents=True)
    (tmp_path / "self" / "ns" / "pid").touch()
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "comm").write_text("mine\n")
    assert LocalHost(proc=tmp_path).comm(7) is None
