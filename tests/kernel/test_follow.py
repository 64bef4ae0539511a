"""A process that runs already is followed, with what it has started and what it starts from then on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from ringtop.bpf import stream
from ringtop.bpf.collector.following import Following
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.loaders import LOADERS
from ringtop.bpf.kernel import syscall
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.marks import HOST, Marks
from tests.kernel.old import old_kernel
from tests.kernel.test_control import Listener
from tests.kernel.tracing import PRIME
from tests.processes import eventually

WORKERS = """
import ctypes, os, signal, sys, threading
asked = threading.Event()
signal.signal(signal.SIGUSR1, lambda *_: asked.set())
if len(sys.argv) > 2:
    for _ in range(int(sys.argv[2])):
        if os.fork() == 0:
            break
ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
os.write(1, b"%d\\n" % os.getpid())
while True:
    while not asked.wait(0.02):
        os.waitpid(os.posix_spawn("/bin/true", ["/bin/true"], {}), 0)
    asked.clear()
    for _ in range(100):
        os.waitpid(os.posix_spawn(sys.argv[1], [sys.argv[1]], {}), 0)
    os.write(1, b"done\\n")
"""
"""Processes that always start others, and on SIGUSR1 a hundred of another program."""


@dataclass
class Workers:
    """The first process, and those that it has forked."""

    process: subprocess.Popen[str]
    pids: list[int]

    @property
    def out(self) -> IO[str]:
        """What they tell."""
        assert self.process.stdout is not None
        return self.process.stdout

    def work(self) -> None:
        """Have each start a hundred programs, and wait for that."""
        for pid in self.pids:
            os.kill(pid, signal.SIGUSR1)
        assert Counter(self.out.readline() for _ in self.pids) == {"done\n": len(self.pids)}


@pytest.fixture
def workers(request: pytest.FixtureRequest) -> Iterator[Workers]:
    """Eight workers and the process that forked them."""
    words = [sys.executable, "-c", WORKERS, "/usr/bin/test", "8"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        yield Workers(process, [int(process.stdout.readline()) for _ in range(9)])
        os.killpg(process.pid, signal.SIGKILL)


def heard(listener: Listener, path: bytes) -> int:
    """How many programs of this path the listener has been told of."""
    rounds = [m for m in listener.seen if isinstance(m, stream.Round)]
    batches = [stream.batch(rows) for r in rounds for rows in r.batches]
    return sum(batch.text("filename").count(path) for batch in batches)


@pytest.mark.parametrize("loader", LOADERS)
def test_all_that_a_running_storm_starts_from_then_on_is_seen_and_nothing_else(loader: str, workers: Workers) -> None:
    listener = Listener("--loader", loader, "--buffer", "4M", "--capture", "ret=0")
    try:
        listener.client.send(stream.Follow([workers.process.pid]))
        state = listener.until(stream.State)
        assert state.follows == [workers.process.pid]
        assert state.scope.endswith("but not what detached from it before")
        workers.work()
        for _ in range(PRIME):
            subprocess.run(["/bin/false"], check=False)
        listener.client.send(stream.Follow([]))
        assert listener.until(stream.State).scope == ""
        subprocess.run(["/usr/bin/env", "true"], check=True)
        listener.client.send(stream.Stop())
        listener.until(stream.End)
    finally:
        listener.client.close()
    assert heard(listener, b"/usr/bin/test") == 900
    assert heard(listener, b"/usr/bin/env") == 1, "the whole host again"
    rounds = [m for m in listener.seen if isinstance(m, stream.Round)]
    assert rounds
    ledger = [m for m in listener.seen if isinstance(m, stream.Stats)][-1].programs[-1]
    assert sum(sum(cpu.dropped.values()) for cpu in ledger.cpus) == 0


def test_another_process_takes_over_until_it_ends_and_the_first_is_followed_no_more(workers: Workers) -> None:
    listener = Listener("--follow", str(workers.process.pid), "--buffer", "4M", "--capture", "ret=0")
    try:
        one = next(pid for pid in workers.pids if pid != workers.process.pid)
        listener.client.send(stream.Follow([one]))
        assert listener.until(stream.State).follows == [one]
        workers.work()
        os.kill(workers.process.pid, signal.SIGKILL)  # the first, of whose end nothing is told
        os.kill(one, signal.SIGKILL)
        assert f"({one}) has ended; what it started is followed further" in listener.until(stream.Notice).text
        listener.client.send(stream.Stop())
        listener.until(stream.End)
    finally:
        listener.client.close()
    assert heard(listener, b"/usr/bin/test") == 100


@pytest.mark.parametrize("pid", [0, -1, 4_194_303])
def test_what_does_not_exist_is_not_followed(pid: int) -> None:
    listener = Listener("--capture", f"ppid={os.getpid()}")
    try:
        listener.client.send(stream.Follow([pid]))
        notice = listener.until(stream.Notice)
        assert notice.level == "error"
        assert f"process {pid} cannot be followed: there is none with this id" in notice.text
        listener.client.send(stream.Stop())
        listener.until(stream.End)
    finally:
        listener.client.close()


@pytest.mark.parametrize("mapped", [True, False])
@pytest.mark.parametrize("kernel", [Kernel, old_kernel])
def test_marks_with_and_without_btf_and_a_mapped_array(
    kernel: type[Kernel], mapped: bool, monkeypatch: pytest.MonkeyPatch, workers: Workers, tmp_path: Path
) -> None:
    create = syscall.map_create

    def refuse(*args: int, flags: int = 0, **more: int) -> int:
        if flags:
            raise OSError(22, "as before Linux 5.5")
        return create(*args, **more)  # type: ignore[arg-type]

    if not mapped:
        monkeypatch.setattr(syscall, "map_create", refuse)
    this = kernel()
    vars(this)["pid_max"] = int(Path("/proc/sys/kernel/pid_max").read_text())
    following = Following(this, marks := Marks(this), [])
    try:
        assert marks.shift == (3 if mapped else 0)
        following.follow([workers.process.pid])
        (tmp_path / "two\nlines").symlink_to("/usr/bin/sleep")
        sleeping = subprocess.Popen([tmp_path / "two\nlines", "60"])
        assert all(marks.is_followed(pid) for pid in workers.pids)
        assert not marks.is_followed(sleeping.pid)
        assert not marks.is_followed(os.getpid())
        assert eventually(lambda: "two" in Path(f"/proc/{sleeping.pid}/comm").read_text())
        following.follow([sleeping.pid])
        assert following.scope.text.startswith(f"two?lines ({sleeping.pid})")
        assert marks.is_followed(sleeping.pid)
        assert not any(marks.is_followed(pid) for pid in workers.pids)
        time.sleep(0.1)
        children = [int(pid) for w in workers.pids for pid in Path(f"/proc/{w}/task/{w}/children").read_text().split()]
        assert not any(marks.is_followed(pid) for pid in children), "they are new, and of somebody who is not followed"
        following.follow([])
        assert following.scope == HOST
        assert not following.hooks
        with pytest.raises(CannotTrace, match="ringtop's own"):
            Following(this, marks, [sleeping.pid]).follow([sleeping.pid])
    finally:
        sleeping.kill()
        sleeping.wait()
        following.follow([])
        marks.close()
