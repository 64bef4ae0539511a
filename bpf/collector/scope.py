"""Whose events are wanted: everybody's but ringtop's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.marks import Marks


class Scope:
    """Keeps the *marks*, by which the programs know whose events are wanted. *own* are the ids of ringtop's own
    processes."""

    def __init__(self, kernel: Kernel, marks: Marks, own: Sequence[int]) -> None:
        self.marks = marks
        self._own = own if not kernel.inner_pids else ()  # else the ids would name other processes

    def exclude_own(self) -> None:
        """Keep out the events of ringtop's own processes. Some hooks know only the thread, so each thread that runs
        now has the mark, too: call this again for those that are started later."""
        self.marks.exclude([*self._own, *(thread for pid in self._own for thread in threads(pid))])


def threads(pid: int) -> Iterator[int]:
    """The threads of a process that run now; none when it has ended."""
    with suppress(OSError):
        yield from (int(task.name) for task in Path(f"/proc/{pid}/task").iterdir())
