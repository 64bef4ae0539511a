"""Recordings: streams in a compressed file. A crash loses at most a second, a flipped bit at most a compressed frame.

A recording is a sequence of zstandard frames. They hold the bytes that ``bpf/stream`` describes, so ``zstd -d`` returns
the plain stream; a plain stream can be read, too. Each compressed frame has a checksum and stands alone.
"""

from __future__ import annotations

import contextlib
import io
import os
import pwd
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import zstandard

from ringtop.bpf import stream
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.settings import files

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
WINDOW = 8 << 20
"""Largest accepted zstandard window in bytes. It limits the memory that a hostile file makes the decoder allocate."""
STANDARD = Path("-")
"""Standard output where a recording is written, standard input where one is read."""
FLUSH_S = 1.0
"""Most seconds that a message is held before it is written to the kernel."""
FRAME_S = 10.0
FRAME_BYTES = 4 << 20
"""A compressed frame is closed after FRAME_S seconds or FRAME_BYTES of stream, whichever comes first. On standard
output FLUSH_S takes the place of FRAME_S: what reads a pipe waits for the checksum at a frame's end."""
_HOLD = 8 << 20
"""Most decoded bytes of a compressed frame that are held back until its checksum is verified."""
_STEP = 256
"""Compressed bytes decoded at a time: at zstandard's best ratio they become 8 MiB."""
_PLAIN_STEP = 64 << 10


@dataclass(frozen=True, slots=True)
class Damage:
    """Where a recording stopped being readable."""

    offset: int
    """Number of good bytes of the file."""
    messages: int
    """Number of messages read before the damage."""
    reason: str

    def __str__(self) -> str:
        return f"read up to byte {self.offset} ({self.messages} messages): {self.reason}"


def file_name(host: str, now: float | None = None) -> str:
    """Return a harmless file name for a recording of *host*, begun at the time *now* (seconds since 1970)."""
    host = re.sub(r"[^A-Za-z0-9.-]+", "-", host)[:64].strip(".-")
    return f"{host or 'ringtop'}-{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}.ringtop"


class Recorder:
    """Writes a recording. Not thread-safe."""

    def __init__(
        self,
        path: Path,
        overwrite: bool = False,
        clock: Callable[[], float] = time.monotonic,
        mode: int = files.PRIVATE,
        create: Callable[[Path], BinaryIO] | None = None,
    ) -> None:
        """Create *path* with the permissions *mode*, or by *create*; STANDARD is written, not created. Raises
        FileExistsError when the file exists and *overwrite* is not set, or OSError."""
        self.path = path
        self.mode = mode
        """Permissions of the file."""
        self.messages = 0
        self.bytes = 0
        """Bytes written so far; bytes that the compressor still holds are not included."""
        self._clock = clock
        if path == STANDARD:
            self._file: BinaryIO = os.fdopen(os.dup(1), "wb")
        else:
            self._file = create(path) if create is not None else files.create(path, mode, overwrite=overwrite)
        self._compressor = zstandard.ZstdCompressor(level=3, write_checksum=True)
        self._frame = self._compressor.compressobj()
        self._framed = 0
        self._frame_s = FLUSH_S if path == STANDARD else FRAME_S
        self._frame_at = self._flush_at = clock()
        self._ended = False
        self._pending = stream.MAGIC

    @property
    def closed(self) -> bool:
        """Whether the file is closed and nothing more can be written."""
        return self._file.closed

    @property
    def owner(self) -> str:
        """The user to whom the file belongs."""
        uid = os.fstat(self._file.fileno()).st_uid
        with contextlib.suppress(KeyError):
            return pwd.getpwuid(uid).pw_name
        return str(uid)

    def write(self, message: stream.Message) -> None:
        """Add *message*. Raises OSError; messages flushed before it stay readable."""
        data = self._pending + stream.encode(message)
        self._pending = b""
        self._put(self._frame.compress(data))
        self._framed += len(data)
        self.messages += 1
        self._ended = isinstance(message, stream.End)
        now = self._clock()
        if self._framed >= FRAME_BYTES or now - self._frame_at >= self._frame_s:
            self._put(self._frame.flush())
            self._frame = self._compressor.compressobj()
            self._framed = 0
            self._frame_at = now
        elif now - self._flush_at >= FLUSH_S or isinstance(message, stream.Stats | stream.End):
            self._put(self._frame.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))
        else:
            return
        self._flush_at = now
        self._file.flush()

    def close(self, reason: str = "recording stopped") -> None:
        """Finish the file. A stream without an ``End`` gets one with *reason*. Raises OSError."""
        if self.closed:
            return
        try:
            if not self._ended and self.messages:
                self.write(stream.End(reason))
            if self._framed or not self.messages:
                self._put(self._frame.flush())
        finally:
            # Closing flushes the rest of a failed write and fails the same way. The file is closed nevertheless.
            self._file.close()

    def discard(self) -> None:
        """Remove a file in which there is nothing. The account that ringtop continues under may not be allowed to."""
        if self.path != STANDARD:
            with contextlib.suppress(PermissionError):
                self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            with contextlib.suppress(OSError):
                self.close()

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self.bytes += len(data)


class _Again(io.RawIOBase):
    """A file that is open already, read from *start* on without a change of its position."""

    def __init__(self, file: BinaryIO, start: int = 0) -> None:
        self._file, self._at = file, start

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what comes next."""
        size = os.preadv(self._file.fileno(), [buffer], self._at)
        self._at += size
        return size


class Reading:
    """The messages of a recording, to iterate over once. Afterwards ``damage`` says whether it was complete."""

    def __init__(self, path: Path, file: BinaryIO | None = None, start: int = 0) -> None:
        """Open *path*, a regular file or STANDARD. If it is open as *file* already, that is read instead, from the
        compressed frame at *start* on; it stays open, and others may read it, too. Raises OSError when it cannot be
        opened, and StreamError when it is no recording."""
        self.path = path
        self.damage: Damage | None = None
        self.messages = 0
        self._opened = file
        self._older = stream.Older()
        self.offset = self._start = start
        """Number of bytes of the file used so far."""
        self.size = 0
        """Size of the last message in bytes."""
        self._file: BinaryIO | _Again = _Again(file, start) if file is not None else _open(path)
        self._head = b""
        """The first bytes, which say what the file is, until they are read again: a pipe cannot go back."""
        try:
            while (missing := len(stream.MAGIC) - len(self._head)) and (more := self._file.read(missing)):
                self._head += more
            self._compressed = self._head.startswith(ZSTD_MAGIC)
            if not self._compressed:
                _check_magic(self._head)
        except BaseException:
            self._file.close()
            raise

    def __iter__(self) -> Iterator[stream.AnyMessage]:
        frames = stream.Frames()
        fed = 0
        ended = False
        if self._start:  # the signature and the layout of the rows are told at the beginning of the file
            fed += len(stream.MAGIC)
            list(frames.feed(stream.MAGIC))
            begin = Reading(self.path, self._opened)
            next(iter(begin), None)
            begin.close()
            self._older = begin._older
        try:
            with self._file:
                for data in self._zstd() if self._compressed else self._plain():
                    fed += len(data)
                    for body in frames.feed(data):
                        self.size = len(body)
                        message = self._older.renew(stream.decode(body))
                        _check(message, first=not (self.messages or self._start))
                        self.messages += 1
                        ended = isinstance(message, stream.End)
                        yield message
        except stream.StreamError as e:
            self._broken(str(e), frames)
        except OSError as e:
            self._broken(f"cannot be read further: {e.strerror}", frames)
        else:
            if fed != frames.offset:
                self._broken("ends in the middle of a message", frames)
            elif not ended:
                self._broken("ends without its last message: the recording was not finished", frames)

    def stop(self) -> None:
        """Let the file end here. A signal handler may call this while a read waits for a pipe: Python repeats the read,
        which then finds the end."""
        if not self._file.closed:
            end = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            os.dup2(end, self._file.fileno(), inheritable=False)
            os.close(end)

    def close(self) -> None:
        """Close the file. This is not needed after the last message."""
        self._file.close()

    def _broken(self, reason: str, frames: stream.Frames) -> None:
        if self.damage is None:
            self.damage = Damage(self.offset if self._compressed else frames.offset, self.messages, reason)

    def _read(self, size: int) -> bytes:
        data, self._head = self._head, b""
        return data or self._file.read(size)

    def _plain(self) -> Iterator[bytes]:
        while data := self._read(_PLAIN_STEP):
            self.offset += len(data)
            yield data

    def _zstd(self) -> Iterator[bytes]:
        decompressor = zstandard.ZstdDecompressor(max_window_size=WINDOW)
        rest = b""
        while chunk := rest or self._read(_STEP):
            frame = decompressor.decompressobj()
            held: list[bytes] = []
            size = used = 0
            while chunk:
                try:
                    out = frame.decompress(chunk)
                except zstandard.ZstdError as e:
                    raise stream.StreamError(f"damaged compressed frame: {e}") from None
                used += len(chunk)
                size += len(out)
                held.append(out)
                if size > _HOLD:
                    yield from held
                    held.clear()
                if frame.eof:
                    break
                chunk = self._read(_STEP)
            yield from held
            rest = frame.unused_data
            self.offset += used - len(rest)
            if not frame.eof:
                raise stream.StreamError("ends in the middle of a compressed frame")


def read(path: Path, file: BinaryIO | None = None, start: int = 0) -> Reading:
    """Return the messages in *path*, up to its end or its damage. Raises OSError and StreamError (see ``Reading``)."""
    return Reading(path, file, start)


def _open(path: Path) -> BinaryIO:
    return os.fdopen(os.dup(0), "rb", buffering=0) if path == STANDARD else files.open_regular(path)


def recorded(hello: stream.Hello) -> tuple[str, ...]:
    """The programs of a recording that this version knows."""
    return tuple(program for program in SCHEMAS if program in hello.programs)


def _check_magic(head: bytes) -> None:
    if not head:
        raise stream.StreamError("it is empty")
    if head[:-1] == stream.MAGIC[:-1] and head != stream.MAGIC:
        raise stream.StreamError(f"its format {head[-1:]!r} is of another version of ringtop")
    if head != stream.MAGIC:
        raise stream.StreamError("it is not a recording of ringtop")


def _check(message: stream.AnyMessage, first: bool) -> None:
    """Raises StreamError unless a viewer can process *message*."""
    if first and not isinstance(message, stream.Hello):
        raise stream.StreamError("does not begin with Hello")
    if isinstance(message, stream.Round):
        for rows in message.batches:
            stream.batch(rows)
