"""The client of a collector: it starts the collector as a child, reads its messages, sends it controls and ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import IO, TYPE_CHECKING

from ringtop.bpf.common import signals
from ringtop.bpf.common.errors import CANNOT_TRACE, CannotTrace
from ringtop.bpf.common.pids import stopped
from ringtop.bpf.common.privilege import PATH
from ringtop.bpf.options.collector import CollectorOptions

if TYPE_CHECKING:
    from ringtop.bpf import stream
    from ringtop.tui.source.broker import Broker, Collector

LOCAL = (sys.executable, "-I", "-m", "ringtop.bpf", "collect")
"""The command of a local collector, to which its options are added. With -I, neither the environment nor the current
folder can redirect it."""
ENVIRONMENT = {"PATH": PATH}
_PATIENCE = 1.0
"""Seconds for a collector to detach and exit after its input is closed."""
_FORCED = 0.5
"""Seconds for it to end after SIGTERM, and again after SIGKILL."""
_LOOK = 0.1
"""Seconds between two looks at whether it is stopped."""


def arguments(options: CollectorOptions, launched: int = 0) -> list[str]:
    """Return the arguments of a collector that excludes the events of this process. With *launched*, it follows only
    that process, which waits to become a command."""
    return replace(options, exclude=(os.getpid(),), launched=launched).arguments()


class CollectorDied(Exception):
    """The stream ended without ``End``. ``status`` is the exit status, ``errors`` the output on standard error."""

    def __init__(self, status: int, errors: str) -> None:
        how = f"killed by {signals.name(-status)}" if status < 0 else f"exit status {status}"
        super().__init__(f"the collector ended unexpectedly ({how})" + (f": {errors}" if errors else ""))
        self.status, self.errors, self.how = status, errors, how

    def raise_if_it_cannot_trace(self) -> None:
        """Raises CannotTrace when the exit status says that the collector could not trace."""
        if self.status == CANNOT_TRACE:
            what, _, rest = self.errors.removeprefix("ringtop: ").partition(": ")
            why, _, cure = rest.partition("\n")
            raise CannotTrace(what, why, cure) from self


def cannot_start(program: str, error: OSError) -> CannotTrace:
    """The error of a collector that could not be started."""
    missing = isinstance(error, FileNotFoundError | PermissionError)
    cure = "Install ringtop again." if missing else "Try again when there is more room for processes and memory."
    return CannotTrace("the collector cannot be started", f"{program}: {error.strerror}", cure)


class Client:
    """The client of a collector that *command* starts with *options*, or that a *broker* starts with its own options.

    *command* is LOCAL, or a command such as ``ssh HOST ringtop collect``.
    """

    def __init__(
        self,
        options: Sequence[str],
        command: Sequence[str] = LOCAL,
        broker: Broker | None = None,
        own_session: bool = True,
    ) -> None:
        self._first = b""
        self._ending = threading.Lock()
        self.process: subprocess.Popen[bytes] | Collector
        self._errors: IO[bytes]
        if broker is not None:
            self.process = collector = broker.start()
            self._in, self._out, self._errors = collector.stdin, collector.stdout, collector.errors
            return
        self._errors = os.fdopen(os.memfd_create("errors"), "w+b")
        try:
            self.process = process = subprocess.Popen(
                [*command, *options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                # No variable of the reader's environment reaches the privileged process.
                env=ENVIRONMENT if command is LOCAL else None,
                # Ctrl+C goes to the reader, which stops the collector and reads to the end.
                start_new_session=own_session,
            )
        except OSError as e:
            raise cannot_start(command[0], e) from e
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout

    def begin(self) -> None:
        """Wait for the first bytes of the collector. Raises CollectorDied."""
        self._first = os.read(self._out.fileno(), 1 << 20)
        if not self._first:
            raise CollectorDied(self.close(), self.errors())

    def messages(self, rest: Callable[[int], float] = lambda size: 0.0) -> Iterator[stream.AnyMessage]:
        """Yield all messages, ``End`` included. Raises CollectorDied, or StreamError on bytes that are no stream.

        *rest* gives the seconds to wait before the next read, after a read of so many bytes.
        """
        from ringtop.bpf import stream  # takes long to import: meanwhile the collector starts

        frames = stream.Frames()
        ended = False
        with self._out:  # closed by its reader: after a close elsewhere, the number may belong to another file
            while data := self._first or self.read():
                self._first = b""
                for body in frames.feed(data):
                    message = self.accept(stream.decode(body))
                    ended = ended or isinstance(message, stream.End)
                    yield message
                if not ended:
                    time.sleep(rest(len(data)))
        if not ended:
            raise CollectorDied(self.close(), self.errors())

    def read(self) -> bytes:
        """Wait for the next bytes of the collector; none at their end."""
        return os.read(self._out.fileno(), 1 << 20)

    def accept(self, message: stream.AnyMessage) -> stream.AnyMessage:
        """Return *message* with our layouts. Raises StreamError when the collector's are others."""
        from ringtop.bpf import stream

        if isinstance(message, stream.Hello):
            stream.check(message)
        return message

    def send(self, control: stream.Control) -> None:
        """Send *control* to the collector. Nothing happens when the collector is gone."""
        from ringtop.bpf import stream

        try:
            os.write(self._in.fileno(), stream.encode(control))
        except (BrokenPipeError, ValueError):
            return

    def errors(self) -> str:
        """Return the collector's output on standard error, at most the last 4 KiB."""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - 4096))
        return self._errors.read().decode(errors="replace").strip()

    def close(self, patience: float = _PATIENCE) -> int:
        """End the collector and return its exit status: close its input, after *patience* seconds send SIGTERM, then
        SIGKILL. For a collector that somebody has stopped there is no patience.

        The status is that of SIGKILL for a collector that cannot be ended because it belongs to another user. Takes at
        most a second more than *patience*. May be called from any thread.
        """
        with self._ending:
            self._in.close()
            steps = ((None, patience), (self.process.terminate, _FORCED), (self.process.kill, _FORCED))
            for end, seconds in steps:
                with suppress(OSError):  # the process may belong to another user
                    if end is not None:
                        end()
                until = time.monotonic() + seconds
                while (left := until - time.monotonic()) > 0:
                    with suppress(subprocess.TimeoutExpired):
                        return self.process.wait(min(left, _LOOK))
                    if end != self.process.kill and stopped(self.process.pid):
                        break
            return -signal.SIGKILL
