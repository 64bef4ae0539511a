"""Opening of files that another user may have put in place of the expected ones."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
    with folder_of(path) as folder:
        link = os.O_NOFOLLOW if _others_may_write(folder) else 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | link
        return os.fdopen(os.open(path.name, flags, 0o666, dir_fd=folder), "wb")


def create(path: Path, mode: int = PRIVATE, buffering: int = -1, overwrite: bool = False) -> BinaryIO:
    """Create *path*, which must not exist unless it is to be *overwritten*, with the permissions *mode* whatever the
    umask is. Raises OSError."""
    with folder_of(path) as folder:
        if overwrite:
            with suppress(FileNotFoundError):
                os.unlink(path.name, dir_fd=folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(path.name, flags, mode, dir_fd=folder)
    try:
        os.fchmod(fd, mode)
        return os.fdopen(fd, "wb", buffering=buffering)
    except BaseException:
        os.close(fd)
        raise


@contextmanager
def folder_of(path: Path) -> Iterator[int]:
    """Open the folder of *path*. On the way to it, root follows no link out of a folder where others may write: they
    could have it lead to a file of root's. Raises OSError."""
    flags = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
    here = os.open(path.anchor or ".", flags)
    try:
        for part in path.parent.parts[bool(path.anchor) :]:
            linked = stat.S_ISLNK(os.stat(part, dir_fd=here, follow_symlinks=False).st_mode)
            if linked and os.geteuid() == 0 and _others_may_write(here):
                raise OSError(errno.ELOOP, f"{part!r} is a link that others could have made", str(path))
            there = os.open(part, flags | (0 if linked else os.O_NOFOLLOW), dir_fd=here)
            os.close(here)
            here = there
        yield here
    finally:
        os.close(here)


def _others_may_write(folder: int) -> bool:
    found = os.fstat(folder)
    return found.st_uid not in (0, os.geteuid()) or bool(found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


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
