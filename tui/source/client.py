"""A collector as seen by its reader: started as a child on a pipe, read message by message, told what to do, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import IO

from ringtop.bpf import stream
from ringtop.bpf.common.errors import CANNOT_TRACE, CannotTrace
from ringtop.bpf.common.privilege import PATH
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.source.broker import Broker, Collector

LOCAL = (sys.executable, "-I", "-m", "ringtop.bpf", "collect")
"""The command of a local collector; its options follow. -I: nothing in the environment or this folder redirects it."""
ENVIRONMENT = {"PATH": PATH}
_PATIENCE = (1.0, 0.5, 0.5)
"""Seconds that a collector has to detach and leave, once it is told to; then, to end by SIGTERM; then, by SIGKILL."""


def arguments(options: CollectorOptions) -> list[str]:
    """The options of a collector that keeps the events of this process out."""
    return replace(options, exclude=(os.getpid(),)).arguments()


class CollectorDied(Exception):
    """The stream ended without ``End``. ``status`` is the exit status, ``told`` what it wrote on standard error."""

    def __init__(self, status: int, told: str) -> None:
        how = f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        super().__init__(f"the collector ended before its time ({how})" + (f": {told}" if told else ""))
        self.status, self.told, self.how = status, told, how

    def raise_if_it_cannot_trace(self) -> None:
        """Raises CannotTrace when that is why it ended."""
        if self.status == CANNOT_TRACE:
            what, _, rest = self.told.removeprefix("ringtop: ").partition(": ")
            why, _, cure = rest.partition("\n")
            raise CannotTrace(what, why, cure) from self


class Client:
    """A collector started with *options*. *command* is LOCAL, or something like ``ssh HOST ringtop collect``; or a
    *broker* starts it, with the options that it has."""

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
        self._told: IO[bytes]
        if broker is not None:
            self.process = collector = broker.start()
            self._in, self._out, self._told = collector.stdin, collector.stdout, collector.told
            return
        self._told = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the collector
        self.process = process = subprocess.Popen(
            [*command, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._told,
            # Nothing of the reader's environment reaches what is privileged.
            env=ENVIRONMENT if command is LOCAL else None,
            start_new_session=own_session,  # Ctrl+C is for the reader: it tells the collector to stop, and hears it out
        )
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout

    def begin(self) -> None:
        """Wait for its first words. Raises CollectorDied."""
        self._first = os.read(self._out.fileno(), 1 << 20)
        if not self._first:
            raise CollectorDied(self.close(), self.told())

    def messages(self) -> Iterator[stream.AnyMessage]:
        """All messages, ``End`` included. Raises CollectorDied, or StreamError on bytes that are no stream."""
        frames = stream.Frames()
        ended = False
        with self._out:  # whoever reads closes it: under another's hands the file descriptor might be a new file's
            while data := self._first or os.read(self._out.fileno(), 1 << 20):
                self._first = b""
                for body in frames.feed(data):
                    message = stream.decode(body)
                    if isinstance(message, stream.Hello):
                        stream.check(message)
                    ended = ended or isinstance(message, stream.End)
                    yield message
        if not ended:
            raise CollectorDied(self.close(), self.told())

    def send(self, control: stream.Control) -> None:
        """Tell the collector; nothing happens when it is gone."""
        try:
            os.write(self._in.fileno(), stream.encode(control))
        except (BrokenPipeError, ValueError):
            return

    def told(self) -> str:
        """What the collector wrote on standard error: at most its last 4 KiB."""
        size = self._told.seek(0, os.SEEK_END)
        self._told.seek(max(0, size - 4096))
        return self._told.read().decode(errors="replace").strip()

    def close(self) -> int:
        """End the collector, by closing its input and then less politely; its exit status, that of SIGKILL for one that
        cannot be ended, as it is somebody else's. Takes 2 seconds at most; from any thread."""
        with self._ending:
            self._in.close()
            for end, patience in zip((None, self.process.terminate, self.process.kill), _PATIENCE, strict=True):
                with suppress(OSError):  # it may be somebody else's
                    if end is not None:
                        end()
                with suppress(subprocess.TimeoutExpired):
                    return self.process.wait(patience)
            return -signal.SIGKILL
