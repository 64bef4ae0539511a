"""Finds a time in a large recording without reading what lies before it.

Each compressed frame stands alone and begins with a message, and the kernel's clock only goes forward: bisection reads
a few frames only.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import BinaryIO

from ringtop.bpf import stream
from ringtop.tui.source.recording import FRAME_BYTES, ZSTD_MAGIC, Reading

_NEAR = 4 * FRAME_BYTES
"""Bytes in which a frame must be found that can be read: in a damaged file, none may be."""
_NEVER = 1 << 64


def moment(message: stream.AnyMessage) -> int | None:
    """The time that *message* tells (kernel's clock, ns); None if it has none."""
    if isinstance(message, stream.Round):
        return message.drained_ns
    return message.ts_ns if isinstance(message, stream.Stats) else None


def frame_before(path: Path, file: BinaryIO, ts: int) -> int:
    """The offset in *file* of a compressed frame that begins before *ts*, the last such one or one close before it; 0
    where there is none. *path* is its name."""

    @cache
    def frame(start: int) -> tuple[int, int]:
        """The time and the offset of the first frame from *start* on."""
        near = _frames(file, start, start + _NEAR)
        return next(((told, at) for at in near if (told := _begins(path, file, at)) is not None), (_NEVER, 0))

    starts = range(0, os.fstat(file.fileno()).st_size, FRAME_BYTES)
    before = bisect_right(starts, ts, key=lambda start: frame(start)[0])
    return frame(starts[before - 1])[1] if before else 0


def _frames(file: BinaryIO, start: int, end: int) -> Iterator[int]:
    """Offsets from *start* on at which a frame may begin."""
    while start < end and (data := os.pread(file.fileno(), FRAME_BYTES, start)):
        at = data.find(ZSTD_MAGIC)
        while at >= 0 and start + at < end:
            yield start + at
            at = data.find(ZSTD_MAGIC, at + 1)
        start += max(1, len(data) - len(ZSTD_MAGIC) + 1)


def _begins(path: Path, file: BinaryIO, start: int) -> int | None:
    """The first time that is told from *start* on; None where no frame of a recording begins there."""
    try:
        reading = Reading(path, file, start)
    except stream.StreamError:
        return None
    told = next((ns for message in reading if (ns := moment(message)) is not None), None)
    reading.close()
    return told
