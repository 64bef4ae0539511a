"""What the viewer itself has used, and what it started besides the collector: a broker, sudo."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ringtop.bpf.common.usage import usage
from ringtop.bpf.stream import ProcessCost


def processes(collector: int) -> list[ProcessCost]:
    """The viewer, and its children except the *collector*, which measures itself."""
    me = os.getpid()
    named = [("viewer", me)]
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # the thread has ended, or the kernel lacks CONFIG_PROC_CHILDREN
            children = map(int, (task / "children").read_text().split())
            named += [(_name(child), child) for child in children if child != collector]
    found = []
    for name, pid in named:
        with suppress(OSError):  # it has ended
            found.append(ProcessCost(name, pid, *usage(pid)))
    return found


def _name(pid: int) -> str:
    """What a child is: a broker calls itself ``ringtop broker``; others are called by their programs."""
    return (Path("/proc") / str(pid) / "comm").read_text().strip().removeprefix("ringtop ")
