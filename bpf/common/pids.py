"""Process ids in this PID namespace and in the kernel's events."""

from __future__ import annotations

from pathlib import Path

_HOST = 0xEFFF_FFFC
"""Inode of the initial PID namespace, which contains all others (PROC_PID_INIT_INO in include/linux/proc_ns.h)."""


def are_the_hosts(proc: Path = Path("/proc")) -> bool:
    """Return whether process ids here are those in events. Where /proc gives no answer, they are assumed to be."""
    try:
        return (proc / "self" / "ns" / "pid").stat().st_ino == _HOST
    except OSError:
        return True
