"""What the collector can no longer do once it has given up root is done by a process of its own: it has the kernel
count the runs of BPF programs, which takes CAP_SYS_ADMIN, and it ends a collector that was stopped and whose reader is
gone, which takes CAP_KILL. It has no descriptors but the collector's input, of which it reads nothing, and one end of a
socket, and obeys a byte that says on or off."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import socket
import time
from contextlib import ExitStack, suppress
from itertools import takewhile
from pathlib import Path

from ringtop.bpf.common import privilege
from ringtop.bpf.common.pids import ancestors, name, stopped
from ringtop.bpf.kernel import run_counts

_ON, _OFF = b"1", b"0"
_NEEDED = "CAP_SYS_ADMIN"
_INPUT = 0
_PATIENCE_S = 1.0
"""The time limit for an answer."""
_LOOKS_MS = 250
"""Milliseconds between two looks at a collector whose reader is gone."""
_LATE_S = 60.0
"""Seconds within which sudo stops itself, or ends, after its command has ended."""


class Helper:
    """The collector's end of that process. Creating it forks, so the process must have only one thread, and no BPF
    program yet: none may outlive the collector."""

    def __init__(self) -> None:
        self.pid: int | None = None
        """The process; None where the privilege is missing."""
        if _NEEDED not in privilege.held():
            return
        collector = os.getpid()
        self._socket, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        self.pid = os.fork()
        if self.pid:
            theirs.close()
            self._socket.settimeout(_PATIENCE_S)
            return
        try:
            _serve(theirs, collector)
        finally:
            os._exit(0)

    def count(self, on: bool) -> str:
        """Begin or end to count runs. Returns why that was refused; empty when it was not."""
        if self.pid is None:
            return f"the kernel counts runs only for root, or with {_NEEDED}"
        try:
            self._socket.send(_ON if on else _OFF)
            return self._socket.recv(256).decode(errors="replace").strip()
        except OSError as e:
            self._socket.close()  # a late answer would be taken for that to the next request
            return f"the process that makes the kernel count runs does not answer: {e.strerror or e}"

    def close(self) -> None:
        """End the process, and the counting with it."""
        if self.pid is not None:
            self._socket.close()


def _serve(requests: socket.socket, collector: int) -> None:
    _call_me(b"ringtop helper")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with the collector
    os.closerange(_INPUT + 1, requests.fileno())
    os.closerange(requests.fileno() + 1, 1 << 20)
    # Only root may write to the switch that older kernels have.
    privilege.drop({_NEEDED, "CAP_KILL"}, os.geteuid(), privilege.NOBODY)
    privilege.told_of_parent()
    poll = select.poll()
    poll.register(requests, select.POLLIN)
    with suppress(OSError):  # there is no input
        poll.register(_INPUT, 0)  # poll reports POLLHUP without being asked
    unread = False
    with ExitStack() as counting:
        while True:
            ready = dict(poll.poll(_LOOKS_MS if unread else None))
            if ready.pop(_INPUT, 0):
                poll.unregister(_INPUT)
                unread = True
            if unread and stopped(collector):
                _end(collector)
            if ready:
                request = requests.recv(1)
                if not request:
                    return
                requests.send(_count(counting, request == _ON).encode())


def _end(collector: int) -> None:
    """End a collector that was stopped, and wake the sudo that has started it. That stops itself with what it has
    started, on a busy machine only after the collector has ended, and would stay for ever."""
    sudo = list(takewhile(_is_sudo, ancestors(collector)))
    os.kill(collector, signal.SIGKILL)
    end = time.monotonic() + _LATE_S
    while (sudo := list(filter(_is_sudo, sudo))) and time.monotonic() < end:
        for pid in filter(stopped, sudo):
            with suppress(ProcessLookupError):  # it has ended
                os.kill(pid, signal.SIGCONT)
        time.sleep(_LOOKS_MS / 1000)


def _is_sudo(pid: int) -> bool:
    return name(pid) == b"sudo"


def _count(counting: ExitStack, on: bool) -> str:
    """Begin or end to count. Returns why that was refused, or a space: an empty message would be taken for the end."""
    try:
        counting.close()
        if on:
            counting.callback(run_counts.begin())
    except FileNotFoundError:
        return "this kernel cannot count the runs of BPF programs (it came with 5.1)"
    except OSError as e:
        return f"the kernel refuses to count the runs of BPF programs: {e.strerror}"
    return " "


def _call_me(name: bytes) -> None:
    """Be *name* in ps, where a fork has its parent's command line: its place is in /proc/PID/stat, fields 48 and 49
    (proc(5))."""
    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    start, end = int(fields[45]), int(fields[46])
    ctypes.memmove(start, name[: end - start].ljust(end - start, b"\0"), end - start)
