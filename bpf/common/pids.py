"""Process ids as seen here, and as the kernel has them in events."""

from __future__ import annotations

from pathlib import Path

_HOST = 0xEFFF_FFFC
"""Inode of the PID namespace that all others are in (PROC_PID_INIT_INO in include/linux/proc_ns.h)."""


def are_the_hosts(proc: Path = Path("/proc")) -> bool:
    """Whether process ids are the same here as in events. Where nothing tells, they are."""
    try:
        return (proc / "self" / "ns" / "pid").stat().st_ino == _HOST
    except OSError:
        return True
