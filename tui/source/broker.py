"""A process that stays root when the viewer gives that up, to start collectors for it, one at a time.

It was told its one command line while the viewer was still root, and takes no other: what reaches it is a byte that
says start, wait, terminate or kill. It is the collectors' parent, so it alone can wait for them on every kernel.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import tempfile
from typing import IO

_REQUEST = struct.Struct("<cd")
"""What is to be done; for how many seconds, where it is waiting."""
_START, _WAIT, _TERMINATE, _KILL = b"s", b"w", b"t", b"k"
_STATUS = struct.Struct("<?i")
"""Whether it has ended, and then its exit status."""
_PID = struct.Struct("<i")
_MARGIN = 0.5
"""Seconds that an answer may take on its way."""


class Collector:
    """A collector that the broker started; the part of ``subprocess.Popen`` that ``Client`` needs."""

    def __init__(self, broker: Broker, pid: int, fds: list[int]) -> None:
        self.pid = pid
        self.stdin: IO[bytes] = os.fdopen(fds[0], "wb", buffering=0)
        self.stdout: IO[bytes] = os.fdopen(fds[1], "rb", buffering=0)
        self.told: IO[bytes] = os.fdopen(fds[2], "rb")
        """What it writes on standard error."""
        self._broker = broker
        self._status: int | None = None

    def wait(self, timeout: float) -> int:
        """Its exit status; 1 when the broker, who would know, is gone. Raises subprocess.TimeoutExpired."""
        if self._status is None:
            try:
                self._status = self._broker.wait(timeout)
            except OSError:
                self._status = 1
        return self._status

    def terminate(self) -> None:
        """Ask it to end."""
        self._broker.tell(_TERMINATE)

    def kill(self) -> None:
        """End it."""
        self._broker.tell(_KILL)


class Broker:
    """Forks; to be made while there is one thread."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._socket, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
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
        """A new collector. Raises OSError when the broker is gone, or the last collector still there."""
        self.tell(_START)
        self._socket.settimeout(None)
        data, fds, _, _ = socket.recv_fds(self._socket, _PID.size, 3)
        if len(data) < _PID.size:
            raise BrokenPipeError("the broker is gone")
        if len(fds) != 3:
            raise BlockingIOError("the last collector has not ended")
        return Collector(self, _PID.unpack(data)[0], fds)

    def wait(self, timeout: float) -> int:
        """The exit status of the last collector. Raises subprocess.TimeoutExpired, OSError when the broker is gone."""
        self.tell(_WAIT, timeout)
        self._socket.settimeout(timeout + _MARGIN)
        data = self._socket.recv(_STATUS.size)
        if len(data) < _STATUS.size:
            raise BrokenPipeError("the broker is gone")
        ended, status = _STATUS.unpack(data)
        if not ended:
            raise subprocess.TimeoutExpired("ringtop collect", timeout)
        return int(status)

    def tell(self, what: bytes, timeout: float = 0.0) -> None:
        """Have it done to the last collector. Raises OSError when the broker is gone."""
        self._socket.settimeout(_MARGIN)
        self._socket.sendall(_REQUEST.pack(what, timeout))


def _serve(requests: socket.socket, command: list[str], environment: dict[str, str]) -> None:
    process: subprocess.Popen[bytes] | None = None
    while request := requests.recv(_REQUEST.size):
        what, timeout = _REQUEST.unpack(request)
        if what == _START and process is not None and process.poll() is None:
            requests.sendall(_PID.pack(0))
        elif what == _START:
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
    # The viewer is gone: so is the other end of the collector's input, and it ends.
