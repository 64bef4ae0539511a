"""Counting the runs of BPF programs takes CAP_SYS_ADMIN, which the collector gives up. A process of its own keeps that
capability and nothing else: it has no descriptors but one end of a socket, and obeys a byte that says on or off."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
from contextlib import ExitStack, suppress
from pathlib import Path

from ringtop.bpf.common import privilege
from ringtop.bpf.kernel import run_counts

_ON, _OFF = b"1", b"0"
_NEEDED = "CAP_SYS_ADMIN"


class Counting:
    """The collector's end of that process. Creating it forks, so the process must have only one thread, and no BPF
    program yet: none may outlive the collector."""

    def __init__(self) -> None:
        self.pid: int | None = None
        """The process; None where the privilege is missing."""
        if _NEEDED not in privilege.held():
            return
        self._socket, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        self.pid = os.fork()
        if self.pid:
            theirs.close()
            return
        try:
            _serve(theirs)
        finally:
            os._exit(0)

    def turn(self, on: bool) -> str:
        """Begin or end to count. Returns why that was refused; empty when it was not."""
        if self.pid is None:
            return f"the kernel counts runs only for root, or with {_NEEDED}"
        try:
            self._socket.send(_ON if on else _OFF)
            return self._socket.recv(256).decode(errors="replace").strip()
        except OSError as e:
            return f"the process that makes the kernel count runs has ended: {e.strerror}"

    def close(self) -> None:
        """End the process, and the counting with it."""
        if self.pid is not None:
            self._socket.close()
            with suppress(ChildProcessError):
                os.waitpid(self.pid, 0)


def _serve(requests: socket.socket) -> None:
    _call_me(b"ringtop run counter")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with the collector
    os.closerange(0, requests.fileno())
    os.closerange(requests.fileno() + 1, 1 << 20)
    privilege.drop({_NEEDED}, uid=os.geteuid())  # only root may write to the switch that older kernels have
    with ExitStack() as counting:
        while request := requests.recv(1):
            why = " "  # an empty message would be taken for the end
            try:
                counting.close()
                if request == _ON:
                    counting.callback(run_counts.begin())
            except FileNotFoundError:
                why = "this kernel cannot count the runs of BPF programs (it came with 5.1)"
            except OSError as e:
                why = f"the kernel refuses to count the runs of BPF programs: {e.strerror}"
            requests.send(why.encode())


def _call_me(name: bytes) -> None:
    """Be *name* in ps, where a fork has its parent's command line: its place is in /proc/PID/stat, fields 48 and 49
    (proc(5))."""
    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    start, end = int(fields[45]), int(fields[46])
    ctypes.memmove(start, name[: end - start].ljust(end - start, b"\0"), end - start)
