"""The collector's side of the pipe: frames wait for a slow reader, without blocking and within a bound."""

from __future__ import annotations

import os
from collections import deque

from ringtop.bpf.stream import MAGIC, Message, encode

LIMIT = 64 << 20
"""Bytes that may wait. Beyond that the transports are not drained: the kernel drops events, and counts them."""


class CannotWrite(Exception):
    """The stream cannot be written; the text gives the cause and the cure."""


class Outbox:
    """Writes frames to *fd*. Data that the reader does not take at once waits here.

    Raises BrokenPipeError when the reader is gone, CannotWrite where there is no room for a file.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._waiting: deque[memoryview] = deque([memoryview(MAGIC)])
        self._bytes = len(MAGIC)
        os.set_blocking(fd, False)

    @property
    def full(self) -> bool:
        """Whether too much waits to add events."""
        return self._bytes >= LIMIT

    @property
    def empty(self) -> bool:
        """Whether the reader has taken everything."""
        return not self._waiting

    def put(self, message: Message) -> None:
        """Add a message, and write as much as the reader takes."""
        frame = encode(message)
        self._waiting.append(memoryview(frame))
        self._bytes += len(frame)
        self.flush()

    def flush(self) -> None:
        """Write as much as the reader takes now."""
        while self._waiting:
            frame = self._waiting[0]
            try:
                written = os.write(self.fd, frame)
            except BlockingIOError:
                return
            except BrokenPipeError:
                raise
            except OSError as e:
                why = f"the stream cannot be written: {e.strerror}"
                raise CannotWrite(f"{why}\nMake room, or write it elsewhere.") from e
            self._bytes -= written
            if written < len(frame):
                self._waiting[0] = frame[written:]  # a view: a frame of 4 MiB goes through the pipe in 64 pieces
            else:
                self._waiting.popleft()
