"""Storms: a process that makes one cheap system call many times, as fast as it can, as the load for the bench.

Python is too slow to stress a transport, and not every machine has a compiler. So the loop around the system call is
machine code of 26 bytes (x86-64) or 40 bytes (aarch64), written into a page of this process. Where the system forbids
executable pages, the loop is Python's, and the bench says so.
"""

from __future__ import annotations

import ctypes as ct
import mmap
import os
import platform
import signal
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from ringtop.bpf.common.sizes import PAGE

Calls = Callable[[int], object]
"""Makes the call the given number of times."""

_SLICES, _SLICE = 50, 10_000
_RESULT = struct.Struct("<qdd")
_MACHINE = {
    # fn(count, number, a, b, c): keep count and number; a, b, c to where the kernel wants them; call, count down, jump.
    "x86_64": "4989f9 4989f2 4889d7 4889ce 4c89c2 4c89d0 0f05 49ffc9 75f6 c3",
    "aarch64": "e90300aa e80301aa ea0302aa e10303aa e20304aa e0030aaa 010000d4 290500f1 a1ffff54 c0035fd6",
}
_NUMBERS = {"x86_64": {"unlinkat": 263, "getppid": 110}, "aarch64": {"unlinkat": 35, "getppid": 173}}
_libc = ct.CDLL(None)
_PROT_READ, _PROT_EXEC = 1, 4

AT_FDCWD = -100
NOWHERE = b"/dev/null/x"
"""A path that cannot exist, so unlinking it fails (ENOTDIR), quickly, and never deletes anything."""


@cache
def _loop() -> Callable[..., None] | None:
    """Return the machine code as a function, or None where there is none or it may not run. Its page is never freed."""
    code = bytes.fromhex(_MACHINE.get(platform.machine(), ""))
    if not code:
        return None
    page = mmap.mmap(-1, PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    page[: len(code)] = code
    start = ct.addressof(ct.c_char.from_buffer(page))
    # The page becomes executable after it is written, so that the kernel synchronises the instruction cache on ARM.
    if _libc.mprotect(ct.c_void_p(start), ct.c_size_t(PAGE), _PROT_READ | _PROT_EXEC):
        return None
    kept = ct.CFUNCTYPE(None, ct.c_long, ct.c_long, ct.c_void_p, ct.c_void_p, ct.c_long)(start)
    kept.page = page  # type: ignore[attr-defined]
    return kept


def how() -> str:
    """Return what makes the calls: ``machine code`` or ``ctypes``."""
    return "machine code" if _loop() else "ctypes"


def syscalls(name: str, *args: int | bytes) -> Calls:
    """Return a function that makes calls of *name* with up to three arguments: an int, a path, an int."""
    first, path, last = (*args, *(0, 0, 0))[:3]
    loop = _loop()
    if loop is not None:
        number = _NUMBERS[platform.machine()][name]
        return lambda count: loop(count, number, first, path or None, last)
    call, given = getattr(_libc, name), args

    def slowly(count: int) -> None:
        for _ in range(count):
            call(*given)

    return slowly


def unlinks() -> Calls:
    """Return a function that makes failing unlinks."""
    return syscalls("unlinkat", AT_FDCWD, NOWHERE, 0)


def getppids() -> Calls:
    """Return a function that calls getppid, about the cheapest system call there is."""
    return syscalls("getppid")


def ping_pong() -> Calls:
    """Return a function that sends one byte through two pipes to a partner on the same CPU and back.

    Each round trip takes two wakeups and two switches."""
    there_out, there_in = os.pipe()
    back_out, back_in = os.pipe()
    if os.fork() == 0:
        os.close(there_in)
        os.close(back_out)
        while os.read(there_out, 1):
            os.write(back_in, b"x")
        os._exit(0)
    os.close(there_out)
    os.close(back_in)

    def round_trips(count: int) -> None:
        for _ in range(count):
            os.write(there_in, b"x")
            os.read(back_out, 1)

    return round_trips


@dataclass(frozen=True, slots=True)
class Made:
    """The result of a storm."""

    count: int
    seconds: float
    call_ns: float
    """Median over slices of the time of one call, so that a burst of foreign load does not change it."""


class Storm:
    """A child process on *cpu* that waits to make the calls of *prepare*. It ends when this process ends."""

    def __init__(self, prepare: Callable[[], Calls], cpu: int) -> None:
        self.pid = 0
        orders, self._order = os.pipe()
        self.done, results = os.pipe()
        """File descriptor that becomes readable when the ordered calls are done."""
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._order)
            os.close(self.done)
            _obey(prepare, cpu, orders, results, parent)
        os.close(orders)
        os.close(results)

    def start(self, count: int, limit: float) -> None:
        """Begin *count* calls, or fewer if they take more than *limit* seconds."""
        os.write(self._order, struct.pack("<qd", count, limit))

    def result(self) -> Made:
        """Wait for the started calls to end and return their result."""
        data = os.read(self.done, _RESULT.size)
        if len(data) != _RESULT.size:
            raise RuntimeError("the storm's process has died")
        return Made(*_RESULT.unpack(data))

    def run(self, count: int, limit: float) -> Made:
        """Start the calls and wait for their result."""
        self.start(count, limit)
        return self.result()

    def close(self) -> None:
        """End the child."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._order)
        os.close(self.done)


def _obey(prepare: Callable[[], Calls], cpu: int, orders: int, results: int, parent: int) -> None:
    """Run the child: carry out orders until the parent is gone, then exit."""
    try:
        os.sched_setaffinity(0, {cpu})
        calls = prepare()
        while (order := os.read(orders, 16)) and os.getppid() == parent:
            os.write(results, _RESULT.pack(*_make(calls, *struct.unpack("<qd", order))))
    except BaseException:  # no code of the parent, such as its handlers, may run in the child
        os._exit(1)
    os._exit(0)


def _make(calls: Calls, count: int, limit: float) -> tuple[int, float, float]:
    made, each = 0, []
    begin = before = time.perf_counter()
    while made < count and before - begin < limit:
        size = min(max(count // _SLICES, 1), _SLICE, count - made)
        calls(size)
        now = time.perf_counter()
        each.append((now - before) / size)
        made, before = made + size, now
    return made, before - begin, float(np.median(each)) * 1e9
