"""Frames: the pieces of a stream that hold one message each."""

from __future__ import annotations

import struct
from collections.abc import Iterator

MAGIC = b"ringtop\x01"
"""The first bytes of every stream; the last of them is the version of the format."""
MAX_FRAME = 8 << 20
"""Length in bytes of the longest message that a reader accepts."""

LENGTH = struct.Struct("<I")


class StreamError(Exception):
    """The bytes are not a stream, or not one that this version can read. The text says which, and where."""


class Frames:
    """Splits bytes that arrive in pieces of any size into frames."""

    def __init__(self, magic: bool = True, limit: int = MAX_FRAME) -> None:
        self._buffer = bytearray()
        self._magic = magic
        self._limit = limit
        self.offset = 0
        """Bytes of whole frames consumed so far; in a damaged stream, everything before this offset is good."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the bodies that *data* completes. Raises StreamError on bytes that cannot be a stream."""
        self._buffer += data
        at = 0
        if self._magic:
            head = bytes(self._buffer[: len(MAGIC)])
            if not MAGIC.startswith(head):
                what = "version" if head[:-1] == MAGIC[:-1] else "signature"
                raise StreamError(f"not a ringtop stream: the {what} {head!r} is not {MAGIC!r}")
            if len(head) < len(MAGIC):
                return
            self._magic = False
            at = len(MAGIC)
        try:
            while len(self._buffer) - at >= LENGTH.size:
                (size,) = LENGTH.unpack_from(self._buffer, at)
                if size > self._limit:
                    raise StreamError(f"damaged stream at byte {self.offset + at}: a message of {size} bytes")
                end = at + LENGTH.size + size
                if len(self._buffer) < end:
                    break
                with memoryview(self._buffer) as view:  # a slice of the buffer would be a copy, too
                    body = bytes(view[at + LENGTH.size : end])
                at = end
                yield body
        finally:
            del self._buffer[:at]
            self.offset += at
