"""The card of a process: real ones, those that are gone, and those that do not want to be seen."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ringtop.bpf.common.clock import began_ns
from ringtop.tui.process import card as process

SECOND = 1_000_000_000
HOSTILE = b"\x1b]0;x\x07[@click=app.quit]\r\n\xff"


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits, with a name and arguments one would not like to print."""
    script = f"import sys; open('/proc/self/comm', 'wb').write({HOSTILE[:15]!r}); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script, HOSTILE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/"
    ) as started:
        assert started.stdout is not None
        started.stdout.readline()
        yield started
        started.kill()


def test_a_process_that_is_there(child: subprocess.Popen[bytes]) -> None:
    card = process.read(child.pid)
    assert card.presence == "here"
    assert card.comm == HOSTILE[:15]
    assert card.command is not None
    assert card.command[-1] == HOSTILE
    assert card.command[0] == os.fsencode(sys.executable)
    assert card.ancestors[0].pid == os.getpid()
    assert card.ancestors[-1].pid == 1
    assert card.uid == os.getuid()
    assert card.user
    assert card.threads == 1
    assert card.cwd == b"/"
    assert card.exe == os.fsencode(Path(sys.executable).resolve())
    assert card.nice == os.nice(0)
    assert card.affinity == tuple(sorted(os.sched_getaffinity(0)))
    assert card.status in ("sleeping", "running")
    assert card.rss_bytes
    assert card.denied == ()
    assert card.started == pytest.approx(psutil.Process(child.pid).create_time(), abs=1)


@pytest.mark.parametrize(("rest", "truncated"), [(b"\0", False), (b"", False), (b"a\0", True), (b"\0b\0", True)])
def test_of_a_long_command_the_cut_is_told(tmp_path: Path, rest: bytes, truncated: bool) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "cmdline").write_bytes(b"sh\0" + b"a" * (process._COMMAND - 3) + rest)
    assert process._command(7, tmp_path) == ((b"sh", b"a" * (process._COMMAND - 3)), truncated)


def test_a_process_that_ended(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    assert process.read(child.pid) == process.Card(child.pid, "gone")


def test_a_zombie_is_still_there(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    card = process.read(child.pid)
    assert card.presence == "here"
    assert card.status == "zombie"
    assert card.exe is None
    assert card.ancestors[0].pid == os.getpid()


@pytest.mark.parametrize("pid", [0, -1, 1 << 31, 0xFFFF_FFFF, 1 << 70])
def test_numbers_that_are_no_process(pid: int) -> None:
    assert process.read(pid).presence == "gone"


def test_a_number_that_was_given_again(child: subprocess.Popen[bytes]) -> None:
    began = began_ns(child.pid)
    assert process.read(child.pid, began - 60 * SECOND) == process.Card(child.pid, "reused")
    assert process.read(child.pid, began).presence == "here"
    assert process.read(child.pid, began + 3600 * SECOND).presence == "here"


@pytest.mark.parametrize("step", [-3600, 3600])
def test_a_wall_clock_that_is_set_makes_no_process_older_or_younger(
    child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    def age(card: process.Card) -> float:
        assert card.started is not None
        return time.time() - card.started

    before = age(process.read(child.pid))
    clock = time.time
    monkeypatch.setattr(time, "time", lambda: clock() + step)
    assert age(process.read(child.pid)) == pytest.approx(before, abs=60)


def test_a_process_that_ends_while_it_is_read(child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    def end(self: psutil.Process) -> int:
        child.kill()
        child.wait()
        return 1

    monkeypatch.setattr(psutil.Process, "num_threads", end)
    assert process.read(child.pid) == process.Card(child.pid, "gone")


def test_events_of_another_pid_namespace_are_of_another_place(tmp_path: Path) -> None:
    (tmp_path / "self" / "ns").mkdir(parents=True)
    (tmp_path / "self" / "ns" / "pid").touch()
    assert process.read(os.getpid(), proc=tmp_path) == process.elsewhere(os.getpid())


@pytest.mark.parametrize(
    "error",
    [psutil.AccessDenied(1), PermissionError(13, "no"), FileNotFoundError(2, "no"), ValueError("odd"), KeyError("uid")],
    ids=repr,
)
@pytest.mark.parametrize(
    "method",
    ["uids", "username", "num_threads", "cwd", "exe", "status", "nice", "cpu_affinity", "memory_info"],
)
def test_what_cannot_be_had_is_left_out(method: str, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: psutil.Process) -> None:
        raise error

    for name in ("cache_activate", "cache_deactivate"):  # what psutil's oneshot() expects of some
        setattr(fail, name, lambda process: None)
    monkeypatch.setattr(psutil.Process, method, fail)
    card = process.read(os.getpid())
    assert card.presence == "here"
    assert card.comm is not None
    assert bool(card.denied) == isinstance(error, psutil.AccessDenied | PermissionError)


@pytest.mark.parametrize("error", [psutil.AccessDenied(1), psutil.NoSuchProcess(1), FileNotFoundError(2, "no")])
def test_ancestors_that_cannot_be_seen(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: psutil.Process) -> list[psutil.Process]:
        raise error

    monkeypatch.setattr(psutil.Process, "parents", fail)
    card = process.read(os.getpid())
    assert card.presence == "here"
    assert card.ancestors == ()
