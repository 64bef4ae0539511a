"""The broker: a process that stays root when the viewer gives up root, and starts collectors for it, one at a time.

It is this file run as a program, with the standard library alone: a fork would keep what the viewer had imported. It
got its only command line while the viewer was still root and accepts no other. A request is only a byte (start,
wait, terminate or kill) and a number of seconds. The broker is the collectors' parent, so only it can wait for them
on every kernel.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
from contextlib import suppress
from typing import IO

_REQUEST = struct.Struct("<cd")
"""A request: the byte of the action, and for a wait its timeout in seconds."""
_START, _WAIT, _TERMINATE, _KILL = b"s", b"w", b"t", b"k"
_STATUS = struct.Struct("<?i")
"""The answer to a wait: whether the collector has ended, and its exit status."""
_PID = struct.Struct("<i")
_MARGIN = 0.5
"""Seconds that the transfer of a request or an answer may take."""


class Collector:
    """A collector that the broker started; the part of ``subprocess.Popen`` that ``Client`` needs."""

    def __init__(self, broker: Broker, pid: int, fds: list[int]) -> None:
        self.pid = pid
        self.stdin: IO[bytes] = os.fdopen(fds[0], "wb", buffering=0)
        self.stdout: IO[bytes] = os.fdopen(fds[1], "rb", buffering=0)
        self.errors: IO[bytes] = os.fdopen(fds[2], "rb")
        """The collector's output on standard error."""
        self._broker = broker
        self._status: int | None = None

    def wait(self, timeout: float) -> int:
        """Return the exit status, or 1 when the broker, which knows it, is gone. Raises subprocess.TimeoutExpired."""
        if self._status is None:
            try:
                self._status = self._broker.wait(timeout)
            except OSError:
                self._status = 1
        return self._status

    def terminate(self) -> None:
        """Have the broker send SIGTERM to the collector."""
        self._broker.tell(_TERMINATE)

    def kill(self) -> None:
        """Have the broker send SIGKILL to the collector."""
        self._broker.tell(_KILL)


class Broker:
    """The viewer's end of the broker, which starts collectors with *command* and *environment*. Raises OSError."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._socket, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", __file__, str(theirs.fileno()), *command],
                pass_fds=[theirs.fileno()],
                env=environment,
                start_new_session=True,  # Ctrl+C at the terminal must not reach the broker
            )
        self.pid = self._process.pid
        self.tell(_START)
        self._asked = True
        """Whether a collector was asked for that nobody has taken yet. The first starts with the broker."""

    def start(self) -> Collector:
        """Return a new collector. Raises OSError when the broker is gone or the last collector is still running."""
        if not self._asked:
            self.tell(_START)
        self._asked = False
        self._socket.settimeout(None)
        data, fds, _, _ = socket.recv_fds(self._socket, _PID.size, 3)
        if len(data) < _PID.size:
            raise BrokenPipeError("the process that starts collectors has ended; start ringtop again")
        if len(fds) != 3:
            raise BlockingIOError("the last collector has not ended")
        return Collector(self, _PID.unpack(data)[0], fds)

    def wait(self, timeout: float) -> int:
        """Return the last collector's exit status. Raises subprocess.TimeoutExpired, or OSError when the broker is
        gone."""
        self.tell(_WAIT, timeout)
        self._socket.settimeout(timeout + _MARGIN)
        data = self._socket.recv(_STATUS.size)
        if len(data) < _STATUS.size:
            raise BrokenPipeError("the process that starts collectors has ended; start ringtop again")
        ended, status = _STATUS.unpack(data)
        if not ended:
            raise subprocess.TimeoutExpired("ringtop collect", timeout)
        return int(status)

    def tell(self, what: bytes, timeout: float = 0.0) -> None:
        """Send a request about the last collector to the broker. Raises OSError when the broker is gone."""
        self._socket.settimeout(_MARGIN)
        self._socket.sendall(_REQUEST.pack(what, timeout))


def _serve(requests: socket.socket, command: list[str]) -> None:
    process: subprocess.Popen[bytes] | None = None
    while request := requests.recv(_REQUEST.size):
        what, timeout = _REQUEST.unpack(request)
        if what == _START and process is not None and process.poll() is None:
            requests.sendall(_PID.pack(0))
        elif what == _START:
            with os.fdopen(os.memfd_create("errors"), "w+b") as errors:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    start_new_session=True,
                )
                assert process.stdin is not None
                assert process.stdout is not None
                with process.stdin, process.stdout:
                    fds = [process.stdin.fileno(), process.stdout.fileno(), errors.fileno()]
                    socket.send_fds(requests, [_PID.pack(process.pid)], fds)
        elif what == _WAIT and process is not None:
            try:
                requests.sendall(_STATUS.pack(True, process.wait(timeout)))
            except subprocess.TimeoutExpired:
                requests.sendall(_STATUS.pack(False, 0))
        elif what == _TERMINATE and process is not None:
            process.terminate()
        elif what == _KILL and process is not None:
            process.kill()
    # The viewer is gone, and with it the other end of the collector's input, so the collector ends too.


if __name__ == "__main__":
    with suppress(OSError), open("/proc/self/comm", "w") as name:  # noqa: PTH123  # pathlib takes memory
        name.write("ringtop broker")  # as ps and the viewer's cost panel call it
    with suppress(ConnectionError):  # the viewer has gone without reading an answer
        _serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
