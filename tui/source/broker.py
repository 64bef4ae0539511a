"""A process that stays root when the viewer gives that up, to start collectors for it, one at a time.

It was told its one command line while the viewer was still root, and takes no other: what reaches it is a byte that
says start, tell the exit status, or terminate.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import subprocess
import tempfile
from typing import IO

_STATUS = struct.Struct("<i")
_START, _WAIT, _TERMINATE = b"s", b"w", b"t"


class Collector:
    """A collector that the broker started; the part of ``subprocess.Popen`` that ``Client`` needs."""

    def __init__(self, broker: Broker, pid: int, fds: list[int]) -> None:
        self.pid = pid
        self.stdin: IO[bytes] = os.fdopen(fds[0], "wb", buffering=0)
        self.stdout: IO[bytes] = os.fdopen(fds[1], "rb", buffering=0)
        self.told: IO[bytes] = os.fdopen(fds[2], "rb")
        """What it writes on standard error."""
        self._broker = broker
        self._end = os.pidfd_open(pid)
        self._status: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status. Raises subprocess.TimeoutExpired."""
        if self._status is None:
            poll = select.poll()
            poll.register(self._end, select.POLLIN)
            if not poll.poll(None if timeout is None else timeout * 1000):
                raise subprocess.TimeoutExpired("ringtop collect", timeout or 0)
            os.close(self._end)
            self._status = self._broker.status()
        return self._status

    def terminate(self) -> None:
        """Ask it to end."""
        self._broker.terminate()

    kill = terminate


class Broker:
    """Forks; to be made while there is one thread."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._socket, theirs = socket.socketpair()
        if os.fork():
            theirs.close()
            return
        try:
            self._socket.close()
            os.setsid()  # Ctrl+C is not for it
            _serve(theirs, command, environment)
        finally:
            os._exit(0)

    def start(self) -> Collector:
        """A new collector. Raises OSError when the broker is gone."""
        self._socket.sendall(_START)
        data, fds, _, _ = socket.recv_fds(self._socket, _STATUS.size, 3)
        if len(data) < _STATUS.size or len(fds) != 3:
            raise BrokenPipeError("the broker is gone")
        return Collector(self, _STATUS.unpack(data)[0], fds)

    def status(self) -> int:
        """The exit status of the last collector, which has ended."""
        self._socket.sendall(_WAIT)
        data = self._socket.recv(_STATUS.size)
        return int(_STATUS.unpack(data)[0]) if len(data) == _STATUS.size else -1

    def terminate(self) -> None:
        """SIGTERM to the last collector."""
        self._socket.sendall(_TERMINATE)


def _serve(requests: socket.socket, command: list[str], environment: dict[str, str]) -> None:
    process: subprocess.Popen[bytes] | None = None
    while request := requests.recv(1):
        if request == _START and (process is None or process.poll() is not None):
            with tempfile.TemporaryFile() as told:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=told,
                    env=environment,
                    start_new_session=True,
                )
                assert process.stdin is not None
                assert process.stdout is not None
                with process.stdin, process.stdout:
                    fds = [process.stdin.fileno(), process.stdout.fileno(), told.fileno()]
                    socket.send_fds(requests, [_STATUS.pack(process.pid)], fds)
        elif request == _WAIT and process is not None:
            requests.sendall(_STATUS.pack(process.wait()))
        elif request == _TERMINATE and process is not None:
            process.terminate()
    # The viewer is gone: so is the other end of the collector's input, and it ends.
