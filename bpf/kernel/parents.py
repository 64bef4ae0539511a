"""The parents of the processes that were there before their forks were followed (``include/parents.h``)."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from ringtop.bpf.kernel import syscall


def _parent(pid: int) -> int | None:
    """The parent of a process that lives; None of one that has ended (proc(5): state and ppid follow the comm)."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[:2]
    except (OSError, ValueError):
        return None
    return None if state in b"ZX" else int(parent)


def seed(parents: int) -> None:
    """Enter them in the map with file descriptor *parents*, which follows forks and ends already: what it has is newer.
    One that cannot be entered stays unknown."""
    for pid in [0, *(int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit())]:
        parent = _parent(pid) if pid else 0  # the kernel's own, which no /proc shows
        if parent is None:
            continue
        with suppress(OSError):
            syscall.map_update(parents, pid, parent.to_bytes(4, sys.byteorder), new=True)
            if pid and _parent(pid) is None:  # it ended meanwhile, perhaps before the entry was there
                syscall.map_delete(parents, pid)
