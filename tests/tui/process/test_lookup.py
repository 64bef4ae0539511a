"""Names of processes and units of control groups, from folders that look like /proc and /sys/fs/cgroup."""

from __future__ import annotations

import os
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


def test_the_unit_of_a_control_group(tmp_path: Path) -> None:
    container = tmp_path / "system.slice" / ("docker-" + "ab" * 32 + ".scope")
    paths = [tmp_path / "system.slice" / "nginx.service", container, tmp_path / "plain" / "folder"]
    for path in paths:
        path.mkdir(parents=True)
    host = LocalHost(cgroups=tmp_path)
    nginx, docker, plain = (path.stat().st_ino for path in paths)
    assert host.unit(nginx) == b"nginx.service"
    assert host.unit(docker) == b"abababababab"
    assert host.unit(plain) == b"/plain/folder"
    assert host.unit(tmp_path.stat().st_ino) == b"/"
    assert host.unit(1) is None
    late = tmp_path / "late.service"
    late.mkdir()
    assert host.unit(late.stat().st_ino) == b"late.service"


def test_without_a_unified_hierarchy_nothing_is_known(tmp_path: Path) -> None:
    assert LocalHost(cgroups=tmp_path / "none").unit(os.getpid()) is None
