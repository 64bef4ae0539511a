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


def stopped(pid: int) -> bool:
    """Whether a signal or a tracer has stopped process *pid*. False where it cannot be seen."""
    return _stat(pid)[1] in (b"T", b"t")


def ancestors(pid: int) -> list[int]:
    """The parent of process *pid*, that one's parent and so on, as far as they can be seen."""
    found = []
    while (pid := int(_stat(pid)[2])) > 1:
        found.append(pid)
    return found


def name(pid: int) -> bytes:
    """The name of process *pid*; empty where it cannot be seen, or has ended."""
    called, state, _ = _stat(pid)
    return b"" if state == b"Z" else called


def _stat(pid: int) -> tuple[bytes, bytes, bytes]:
    """The name, the state and the parent of a process (proc(5), /proc/PID/stat); empty and 0 where it cannot be
    seen."""
    try:
        before, _, after = (Path("/proc") / str(pid) / "stat").read_bytes().rpartition(b")")
    except OSError:
        return b"", b"", b"0"
    state, parent, *_ = after.split()
    return before.partition(b"(")[2], state, parent
