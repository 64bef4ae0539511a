"""Finds a time in a large recording without reading what lies before it.

Each compressed frame stands alone and begins with a message, and the kernel's clock only goes forward: the frame is
searched for by halves, at a few frames read for each half.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ringtop.bpf import stream
from ringtop.tui.source.recording import FRAME_BYTES, ZSTD_MAGIC, Reading

_NEAR = 4 * FRAME_BYTES
"""Bytes in which a frame must be found that can be read: in a damaged file, none may be."""


def moment(message: stream.AnyMessage) -> int | None:
    """The time that *message* tells (kernel's clock, ns); None if it has none."""
    if isinstance(message, stream.Round):
        return message.drained_ns
    return message.ts_ns if isinstance(message, stream.Stats) else None


def frame_before(path: Path, file: BinaryIO, ts: int) -> int:
    """The offset in *file* of a compressed frame that begins before *ts*, the last such one or one close before it; 0
    where there is none. *path* is its name."""
    low, high = 0, os.fstat(file.fileno()).st_size
    while high - low > FRAME_BYTES:
        middle = (low + high) // 2
        near = _frames(file, middle, min(high, middle + _NEAR))
        found = next(((at, told) for at in near if (told := _begins(path, file, at))), None)
        if found is None or found[1] > ts:
            high = middle
        else:
            low = found[0]
    return low


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
