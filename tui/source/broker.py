"""The broker: a process that stays root when the viewer gives up root, and starts collectors for it, one at a time.

It is this file run as a program, with the standard library alone: a fork would keep what the viewer had imported. It
got its only command line while the viewer was still root and accepts no other. A request is only a byte (start,
wait, terminate, kill or record) and a number of seconds, and to record the name of a new file in the one folder that
it also got then. The broker is the collectors' parent, so only it can wait for them on every kernel.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, BinaryIO

_REQUEST = struct.Struct("<cd")
"""A request: the byte of the action, and for a wait its timeout in seconds."""
_START, _WAIT, _TERMINATE, _KILL, _RECORD = b"s", b"w", b"t", b"k", b"r"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,200}\.ringtop")
"""The names of files that may be created."""
_CREATED = struct.Struct("<i")
"""The answer to a name: 0, and the open file beside it, or the errno."""
_STATUS = struct.Struct("<?i")
"""The answer to a wait: whether the collector has ended, and its exit status."""
_PID = struct.Struct("<i")
_MARGIN = 10.0
"""Seconds that the transfer of a request or an answer may take, unless the broker is stopped."""
_LOOK = 0.2
"""Seconds between two looks at whether it is."""
_GONE = "the process that starts collectors and creates recordings does not answer; leave, and start ringtop again"


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
    """The viewer's end of the broker, which starts collectors with *command* and *environment*, and creates recordings
    in *folder*. Raises OSError."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path = Path()) -> None:
        self._socket, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", __file__, str(theirs.fileno()), str(folder), *command],
                pass_fds=[theirs.fileno()],
                env=environment,
                # Ctrl+C at the terminal must not reach the broker. Its process group is orphaned when the viewer ends:
                # then the kernel wakes and ends a broker that was stopped (setpgid(2)).
                process_group=0,
            )
        self.pid = self._process.pid
        self._asking = threading.Lock()
        """Held from a request until its answer has come: the source and the viewer are different threads."""
        self.tell(_START)
        self._asked = True
        """Whether a collector was asked for that nobody has taken yet. The first starts with the broker."""

    def start(self) -> Collector:
        """Return a new collector. Raises OSError when the broker is gone or the last collector is still running."""
        with self._asking:
            if not self._asked:
                self.tell(_START)
            self._asked = False
            data, fds = self._answer(_PID.size, _MARGIN, 3)
        (pid,) = _PID.unpack(data)
        if pid < 0:
            raise OSError(-pid, os.strerror(-pid))
        if pid == 0:
            raise OSError(errno.EAGAIN, "the last collector has not ended")
        return Collector(self, pid, fds)

    def wait(self, timeout: float) -> int:
        """Return the last collector's exit status. Raises subprocess.TimeoutExpired, or OSError when the broker is
        gone."""
        with self._asking:
            self.tell(_WAIT, timeout)
            data, _ = self._answer(_STATUS.size, timeout + _MARGIN)
        ended, status = _STATUS.unpack(data)
        if not ended:
            raise subprocess.TimeoutExpired("ringtop collect", timeout)
        return int(status)

    def create(self, path: Path) -> BinaryIO:
        """Create the file of that name in the broker's folder. It belongs to root, and nobody else may read it. Raises
        OSError."""
        with self._asking:
            self.tell(_RECORD, name=path.name.encode())
            data, fds = self._answer(_CREATED.size, _MARGIN, 1)
        (error,) = _CREATED.unpack(data)
        if error:
            raise OSError(error, os.strerror(error), str(path))
        return os.fdopen(fds[0], "wb")

    def tell(self, what: bytes, timeout: float = 0.0, name: bytes = b"") -> None:
        """Send a request to the broker. Raises OSError when the broker is gone."""
        try:
            self._socket.settimeout(_MARGIN)
            self._socket.sendall(_REQUEST.pack(what, timeout) + name)
        except OSError as e:
            raise self._gone() from e

    def _answer(self, size: int, timeout: float, files: int = 0) -> tuple[bytes, list[int]]:
        """Return an answer of *size* bytes, and the files that came with it. Raises OSError when the broker is gone."""
        from ringtop.bpf.common.pids import stopped  # the broker itself has the standard library alone

        until = time.monotonic() + timeout
        try:
            self._socket.settimeout(_LOOK)
            while time.monotonic() < until and not stopped(self.pid):
                with suppress(TimeoutError):
                    data, fds, _, _ = socket.recv_fds(self._socket, size, files)
                    if len(data) == size:
                        return data, fds
                    break
        except OSError as e:
            raise self._gone() from e
        raise self._gone()

    def _gone(self) -> OSError:
        """The error of a broker that is gone or was stopped. It is asked nothing more: its answer could be late, and
        would be taken for that to the next request."""
        self._socket.close()
        return OSError(errno.EPIPE, _GONE)


def _create(requests: socket.socket, folder: str, name: str) -> None:
    try:
        if not _NAME.fullmatch(name):
            raise PermissionError(errno.EPERM, "")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(Path(folder) / name, flags, 0o600)
    except OSError as e:
        requests.sendall(_CREATED.pack(e.errno))
        return
    with os.fdopen(fd, "wb"):
        socket.send_fds(requests, [_CREATED.pack(0)], [fd])


def _start(requests: socket.socket, command: list[str]) -> subprocess.Popen[bytes]:
    """Start a collector, and answer with its id and files. Raises OSError."""
    with os.fdopen(os.memfd_create("errors"), "w+b") as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
        )
        assert process.stdin is not None
        assert process.stdout is not None
        with process.stdin, process.stdout:
            fds = [process.stdin.fileno(), process.stdout.fileno(), errors.fileno()]
            socket.send_fds(requests, [_PID.pack(process.pid)], fds)
    return process


def _serve(requests: socket.socket, folder: str, command: list[str]) -> None:
    process: subprocess.Popen[bytes] | None = None
    while request := requests.recv(_REQUEST.size + 256):
        what, timeout = _REQUEST.unpack_from(request)
        if what == _START and process is not None and process.poll() is None:
            requests.sendall(_PID.pack(0))
        elif what == _START:
            try:
                process = _start(requests, command)
            except OSError as e:
                requests.sendall(_PID.pack(-(e.errno or errno.EIO)))
        elif what == _WAIT and process is not None:
            try:
                requests.sendall(_STATUS.pack(True, process.wait(timeout)))
            except subprocess.TimeoutExpired:
                requests.sendall(_STATUS.pack(False, 0))
        elif what == _TERMINATE and process is not None:
            process.terminate()
        elif what == _KILL and process is not None:
            process.kill()
        elif what == _RECORD:
            _create(requests, folder, request[_REQUEST.size :].decode("ascii", "replace"))
    # The viewer is gone, and with it the other end of the collector's input, so the collector ends too.


if __name__ == "__main__":
    with suppress(OSError), open("/proc/self/comm", "w") as name:  # noqa: PTH123  # pathlib takes memory
        name.write("ringtop broker")  # as ps and the viewer's cost panel call it
    with suppress(ConnectionError):  # the viewer has gone without reading an answer
        _serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2], sys.argv[3:])
