"""The parents of the processes that existed before their forks were followed (``include/parents.h``)."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from ringtop.bpf.kernel import syscall


def parent(pid: int) -> int | None:
    """The parent of a live process; None for one that has ended (proc(5): state and ppid follow the comm)."""
    try:
        state, above = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[:2]
    except (OSError, ValueError):
        return None
    return None if state in b"ZX" else int(above)


def processes() -> list[int]:
    """The processes that /proc shows now."""
    return [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()]


def seed(parents: int) -> None:
    """Enter the parents in the map with file descriptor *parents*. The program follows forks and exits in it already,
    so its entries are newer and stay. A parent that cannot be entered stays unknown."""
    for pid in [0, *processes()]:
        of = parent(pid) if pid else 0  # the kernel's own, which no /proc shows
        if of is None:
            continue
        with suppress(OSError):
            syscall.map_update(parents, pid, of.to_bytes(4, sys.byteorder), new=True)
            if pid and parent(pid) is None:  # it ended meanwhile, perhaps before it was entered
                syscall.map_delete(parents, pid)
