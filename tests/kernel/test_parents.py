"""Where no BTF tells who the parent is, forks are followed: the parent is who getppid says, or it is unknown."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ringtop.bpf.collector.start import start_tracer
from ringtop.bpf.collector.tracer import Tracer
from ringtop.bpf.event.schema import UNKNOWN
from ringtop.bpf.options.collector import CollectorOptions
from tests.kernel.loads import die_with_parent, run_programs
from tests.kernel.old import old_kernel
from tests.kernel.tracing import PRIME
from tests.processes import eventually

CLONE_PARENT, SYS_CLONE = 0x8000, {"x86_64": 56, "aarch64": 220}[os.uname().machine]


@pytest.fixture
def tracer() -> Iterator[Tracer]:
    """unlinksnoop on a kernel without BTF. Without kprobes too: those this one may not have."""
    kernel = old_kernel()
    vars(kernel)["no_kprobes"] = "taken away"
    one = start_tracer("unlinksnoop", kernel, CollectorOptions(), "perfbuf")
    yield one
    one.close()


def parents(tracer: Tracer) -> dict[int, int]:
    """By process, what the kernel side said of those that deleted something; nothing is asked of /proc."""
    tracer.stop()
    (batch,) = (way.drain() for way in tracer.ways)
    return dict(zip(batch.rows["pid"].tolist(), batch.rows["ppid"].tolist(), strict=True))


def delete() -> None:
    try:
        os.unlink("/nonexistent/file")
    except FileNotFoundError:
        return


def child(act: object) -> int:
    """A fork that runs *act*."""
    pid = os.fork()
    if pid == 0:
        try:
            die_with_parent()
            act()  # type: ignore[operator]
            os._exit(0)
        finally:
            os._exit(1)
    return pid


def orphan(act: Callable[[], object]) -> tuple[int, int]:
    """A fork of a process that has ended since, which runs *act*; and that process."""
    pids, ready = os.pipe(), os.pipe()

    def alone() -> None:
        ctypes.CDLL(None).prctl(1, 0)  # it outlives its parent
        os.write(ready[1], b"r")
        act()

    def parent() -> None:
        os.write(pids[1], child(alone).to_bytes(4, sys.byteorder))
        os.read(ready[0], 1)

    first = child(parent)
    pid = int.from_bytes(os.read(pids[0], 4), sys.byteorder)
    os.waitpid(first, 0)
    return pid, first


def test_processes_that_were_there_before(tracer: Tracer) -> None:
    delete()
    assert parents(tracer)[os.getpid()] == os.getppid()


def test_children_and_their_children(tracer: Tracer) -> None:
    read, write = os.pipe()

    def act() -> None:
        delete()
        grandchild = child(delete)
        os.write(write, grandchild.to_bytes(4, sys.byteorder))
        os.waitpid(grandchild, 0)

    pid = child(act)
    os.close(write)
    grandchild = int.from_bytes(os.read(read, 4), sys.byteorder)
    assert os.waitpid(pid, 0)[1] == 0
    script = [sys.executable, "-c", "import os\ntry: os.unlink('/nonexistent/file')\nexcept OSError: pass"]
    spawned = subprocess.Popen(script)
    spawned.wait()
    found = parents(tracer)
    assert (found[pid], found[grandchild], found[spawned.pid]) == (os.getpid(), pid, os.getpid())


def test_a_thread_has_the_parent_of_its_process(tracer: Tracer) -> None:
    thread = threading.Thread(target=delete)
    thread.start()
    thread.join()
    assert parents(tracer)[os.getpid()] == os.getppid()


def test_a_child_of_a_thread_is_a_child_of_its_process(tracer: Tracer) -> None:
    ended: list[tuple[int, int]] = []
    # To the kernel, the thread is whom the child dies with: it waits.
    thread = threading.Thread(target=lambda: ended.append(os.waitpid(child(delete), 0)))
    thread.start()
    thread.join()
    ((pid, status),) = ended
    assert status == 0
    assert parents(tracer)[pid] == os.getpid()


def test_a_process_cloned_as_a_sibling(tracer: Tracer) -> None:
    clone = ctypes.CDLL(None).syscall

    def act() -> None:
        if clone(SYS_CLONE, CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0) == 0:
            delete()
            os._exit(0)

    first = child(act)
    ended = {os.wait()[0] for _ in range(2)}
    (sibling,) = ended - {first}
    assert parents(tracer)[sibling] == os.getpid()


def test_the_parent_of_an_orphan_is_unknown(tracer: Tracer) -> None:
    """Only the kernel knows who took it over; /proc tells of those that live."""
    read, write = os.pipe()
    go_on = os.pipe()

    def act() -> None:
        os.read(go_on[0], 1)
        delete()
        os.write(write, b"d")
        os.read(go_on[0], 1)

    pid, first = orphan(act)
    status = Path(f"/proc/{pid}/status")
    try:
        assert eventually(lambda: f"PPid:\t{first}\n" not in status.read_text())
        os.write(go_on[1], b"g")
        os.read(read, 1)
        rows = tracer.drain(1 << 62).batch.rows
        (ppid,) = rows["ppid"][rows["pid"] == pid].tolist()
        assert f"PPid:\t{ppid}\n" in status.read_text()
        os.write(go_on[1], b"g")
        assert eventually(lambda: not status.exists() or "State:\tZ" in status.read_text())
    finally:
        if status.exists():
            os.kill(pid, signal.SIGKILL)


def test_one_that_was_an_orphan_and_is_gone(tracer: Tracer) -> None:
    read, write = os.pipe()

    def act() -> None:
        os.read(read, 1)
        delete()

    pid, _ = orphan(act)
    os.write(write, b"g")
    assert eventually(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text())
    assert parents(tracer)[pid] == UNKNOWN


def test_the_filter_on_the_parent_holds_in_the_kernel() -> None:
    options = CollectorOptions(capture=f"ppid={os.getpid()}")
    tracer = start_tracer("execsnoop", old_kernel(), options, "perfbuf")
    try:
        pids = run_programs(PRIME)
        tracer.stop()
        rows = tracer.drain(1 << 62).batch.rows
        assert rows["pid"].tolist() == pids
        assert set(rows["ppid"].tolist()) == {os.getpid()}
    finally:
        tracer.close()
