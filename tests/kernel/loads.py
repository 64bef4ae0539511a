"""Things that happen an exact number of times."""

from __future__ import annotations

import ctypes
import faulthandler
import mmap
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from ringtop.bpf.bench.storm import AT_FDCWD, NOWHERE, syscalls

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGRTMIN + 3)
HOG_NS = 15_000_000
"""Longer than the 10 ms that runqslower reports by default."""


def run_programs(count: int) -> list[int]:
    """Start `/bin/true` *count* times as children of this process; their pids."""
    pids = []
    for i in range(count):
        child = subprocess.Popen(["/bin/true", "first", f"number {i}", ""])
        child.wait()
        pids.append(child.pid)
    return pids


def fail_programs(count: int, path: str, *arguments: str) -> list[int]:
    """Fork *count* children that exec *path*, which does not exist, with their number and *arguments*; their pids."""
    pids = []
    for i in range(count):
        pid = os.fork()
        if pid == 0:
            try:
                os.execv(path, [path, str(i), *arguments])
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        pids.append(pid)
    return pids


def end_processes(count: int) -> dict[int, int]:
    """Have *count* children end in different ways, a third of them by SIGNALS; how each did, as by ``subprocess``."""
    statuses = {}
    for i in range(count):
        if i % 3:
            pid = child(partial(os._exit, i * 11 % 256))
        else:
            pid = child(partial(signal.raise_signal, SIGNALS[i % len(SIGNALS)]))
        statuses[pid] = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return statuses


def delete_files(folder: Path, count: int) -> None:
    """Delete *count* files and *count* folders of *folder*, and fail to delete *count* that are not there."""
    for i in range(count):
        (folder / f"file {i}").touch()
        os.unlink(folder / f"file {i}")
        (folder / f"folder {i}").mkdir()
        os.rmdir(folder / f"folder {i}")
        try:
            os.unlink(folder / f"missing {i}")
        except FileNotFoundError:
            continue


def die_with_parent() -> None:
    """Leave nothing behind, however the test ends: prctl(PR_SET_PDEATHSIG, SIGKILL)."""
    ctypes.CDLL(None).prctl(1, 9)


def real_time(priority: int) -> None:
    """Run on CPU 0 from now on, before all tasks of a lower real-time priority."""
    os.sched_setaffinity(0, {0})
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))


def spin(duration_ns: int) -> None:
    """Use the CPU for so long."""
    end = time.monotonic_ns() + duration_ns
    while time.monotonic_ns() < end:
        pass


def _fork(body: Callable[[], None]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            die_with_parent()
            body()
        finally:
            os._exit(0)
    return pid


def child(do: Callable[[], object]) -> int:
    """The pid of a child that does one thing, and ends with 0 unless that ends it."""

    def quietly() -> None:
        faulthandler.disable()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        do()

    return _fork(quietly)


def fork_named(name: bytes, body: Callable[[], None]) -> int:
    """The pid of a child that is called *name* (prctl(PR_SET_NAME)) and does *body*."""

    def named() -> None:
        ctypes.CDLL(None).prctl(15, name)
        body()

    return _fork(named)


def _state(pid: int) -> str:
    """As in ps: R, S, D, Z …"""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


class Waits:
    """A victim on CPU 0 that is made to wait for it by a hog of higher real-time priority, when told to.

    Real-time priorities keep every other task of the machine out of the count, and pauses keep the kernel from barring
    real-time tasks for the others' sake: that would be a wait as well.
    """

    def __init__(self, preempted: bool) -> None:
        self._go, self._went = os.pipe(), os.pipe()
        self._call, self._done = os.pipe(), os.pipe()
        self._preempted = preempted
        self._over = mmap.mmap(-1, 1)
        """1 once the hog has gone; shared by all."""
        self.victim = _fork(self._victim)
        self._rest()
        self.hog = _fork(self._hog)
        os.read(self._done[0], 1)

    def _victim(self) -> None:
        real_time(10)
        while os.read(self._call[0], 1):
            os.write(self._done[1], b"v")
            while self._preempted and not self._over[0]:
                pass
            if self._preempted:
                os.write(self._done[1], b"v")

    def _hog(self) -> None:
        real_time(50)
        os.write(self._done[1], b"r")
        while os.read(self._go[0], 1):
            if not self._preempted:
                os.write(self._call[1], b"w")
            spin(HOG_NS)
            self._over[0] = 1
            os.write(self._went[1], b"h")

    def _rest(self) -> None:
        """Return once the victim sleeps: else it would be preempted, by the start of the hog, or when it is woken."""
        while _state(self.victim) != "S":
            time.sleep(0.001)

    def force(self, count: int) -> None:
        """Make the victim wait *count* times, some 15 ms each."""
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        try:
            for _ in range(count):
                self._rest()
                self._over[0] = 0
                if self._preempted:
                    os.write(self._call[1], b"w")
                    os.read(self._done[0], 1)
                os.write(self._go[1], b"g")
                os.read(self._went[0], 1)
                os.read(self._done[0], 1)
                time.sleep(0.005)
        finally:
            os.sched_setaffinity(0, range(os.cpu_count() or 1))

    def close(self) -> None:
        """End both."""
        for pid in (self.victim, self.hog):
            os.kill(pid, 9)
            os.waitpid(pid, 0)


def fail_to_delete() -> None:
    """Try to delete a file that does not exist. Raises FileNotFoundError."""
    os.unlink("/nonexistent/file")


def fail_to_start() -> None:
    """Try to start a program that does not exist. Raises FileNotFoundError."""
    os.execv("/nonexistent/program", ["/nonexistent/program", "first", "second"])


class Storm:
    """A child on every CPU that tries something that fails *each* times, when told to."""

    def __init__(self, each: int, attempt: Callable[[], None] = fail_to_delete) -> None:
        self._go = os.pipe()
        self._attempt = attempt
        self.pids = {cpu: self._fork(cpu, each) for cpu in sorted(os.sched_getaffinity(0))}
        self._left = list(self.pids.values())
        self.total = each * len(self.pids)

    def _fork(self, cpu: int, each: int) -> int:
        pid = os.fork()
        if pid == 0:
            die_with_parent()
            os.sched_setaffinity(0, {cpu})
            os.read(self._go[0], 1)
            for _ in range(each):
                try:
                    self._attempt()
                except FileNotFoundError:
                    continue
            os._exit(0)
        return pid

    def release(self) -> None:
        """Let it go."""
        os.write(self._go[1], b"g" * len(self.pids))

    def over(self) -> bool:
        """Whether all children have ended."""
        self._left = [pid for pid in self._left if os.waitpid(pid, os.WNOHANG)[0] == 0]
        return not self._left

    def run(self) -> None:
        """Let it go, and wait for its end."""
        self.release()
        for pid in self._left:
            os.waitpid(pid, 0)


class Flood:
    """A child on every CPU that fails to delete a file as fast as it can, from ``release`` to ``stop``."""

    _CHUNK = 1_000

    def __init__(self) -> None:
        cpus = sorted(os.sched_getaffinity(0))
        self._state = mmap.mmap(-1, 1)
        self._calls = mmap.mmap(-1, 8 * len(cpus))
        self._pids = [_fork(partial(self._flood, cpu, i)) for i, cpu in enumerate(cpus)]

    def _flood(self, cpu: int, index: int) -> None:
        os.sched_setaffinity(0, {cpu})
        calls, done = syscalls("unlinkat", AT_FDCWD, NOWHERE, 0), 0
        while self._state[0] == 0:
            time.sleep(0.001)
        while self._state[0] == 1:
            calls(self._CHUNK)
            done += self._CHUNK
        self._calls[8 * index : 8 * index + 8] = done.to_bytes(8, "little")

    def release(self) -> None:
        """Let it go."""
        self._state[0] = 1

    def stop(self) -> list[int]:
        """End it, if it has not ended; how often each CPU's child tried."""
        self._state[0] = 2
        while self._pids:
            os.waitpid(self._pids.pop(), 0)
        calls: list[int] = np.frombuffer(self._calls[:], np.uint64).tolist()
        return calls
