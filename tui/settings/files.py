"""Opening of files that another user may have put in place of the expected ones."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

PRIVATE = 0o600
"""Permissions of a file with what every user of the machine runs."""


def open_regular(path: Path) -> BinaryIO:
    """Open *path* for reading, unbuffered. Never waits for a fifo. Raises OSError, also when it is no regular file."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return os.fdopen(fd, "rb", buffering=0)


def open_to_write(path: Path) -> BinaryIO:
    """Open *path* for writing, and create or empty it. In a folder where others may write, a link in its place is not
    followed. Raises OSError."""
    folder = path.parent.stat()
    others = folder.st_uid not in (0, os.geteuid()) or folder.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | (os.O_NOFOLLOW if others else 0)
    return os.fdopen(os.open(path, flags, 0o666), "wb")


def create(path: Path, mode: int = PRIVATE, buffering: int = -1) -> BinaryIO:
    """Create *path*, which must not exist, with the permissions *mode* whatever the umask is. Raises OSError."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        os.fchmod(fd, mode)
        return os.fdopen(fd, "wb", buffering=buffering)
    except BaseException:
        os.close(fd)
        raise


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
