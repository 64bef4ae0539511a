"""The limits of this process that tracing needs raised."""

from __future__ import annotations

import resource
from contextlib import suppress

from ringtop.bpf.common.errors import CannotTrace

_FILES = 128
"""Enough for the functions, maps and rings of all programs: with the four of today 93 files are open."""


def allow_locked() -> None:
    """Lift the limit of locked memory. Before 5.11 the kernel counts BPF maps as locked; bcc lifts it only after its
    first refusal."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def allow_files(buffers: int) -> None:
    """Raise the limit of open files; each of *buffers* takes one. Only root can go beyond the hard limit. Raises
    CannotTrace."""
    needed = _FILES + buffers
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for limit in (max(hard, needed), hard):
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            break
    if (files := open_files()) < needed:
        why = f"at most {files} files may be open here, and {needed} may be needed"
        raise CannotTrace("cannot trace", why, f"Raise the limit: ulimit -n {needed}")


def open_files() -> int:
    """The limit of open files."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
