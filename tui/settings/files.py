"""Opening of files that another user may have put in place of the expected ones."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_regular(path: Path) -> BinaryIO:
    """Open *path* for reading, unbuffered. Never waits for a fifo. Raises OSError, also when it is no regular file."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return os.fdopen(fd, "rb", buffering=0)


def read_at_most(path: Path, limit: int) -> bytes:
    """Read all of *path*. Raises OSError, also when the file is longer than *limit* bytes."""
    with open_regular(path) as f:
        parts = []
        while limit >= 0 and (part := f.read(limit + 1)):
            parts.append(part)
            limit -= len(part)
    if limit < 0:
        raise OSError(errno.EFBIG, "too long", str(path))
    return b"".join(parts)
