"""Whose events are wanted: everybody's but ringtop's own, or only those of a command that ringtop has launched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.forks import Forks
from ringtop.bpf.kernel.marks import HOST, Marks, tree


class Following:
    """Keeps the *marks*, by which the programs know whose events are wanted. *own* are the ids of ringtop's own
    processes."""

    def __init__(self, kernel: Kernel, marks: Marks, own: Sequence[int]) -> None:
        self.marks = marks
        self.scope = HOST
        """The scope in force."""
        self._kernel = kernel
        self._own = own if not kernel.inner_pids else ()  # else the ids would name other processes

    def exclude_own(self) -> None:
        """Keep out the events of ringtop's own processes. Some hooks know only the thread, so each thread that runs
        now has the mark, too: call this again for those that are started later."""
        self.marks.exclude([*self._own, *(thread for pid in self._own for thread in threads(pid))])

    @cached_property
    def _forks(self) -> Forks:
        return Forks(self._kernel, self.marks)

    @property
    def hooks(self) -> dict[str, int]:
        """The hook that is attached while something is followed: its file descriptor by its name."""
        return self._forks.hooks if "_forks" in vars(self) else {}

    def launch(self, pid: int) -> None:
        """Follow the process *pid*, which waits to become a command, and what it starts. Raises CannotTrace."""
        what = f"process {pid} cannot be followed"
        if self._kernel.inner_pids:
            raise CannotTrace(what, self._kernel.inner_pids, "Run it on the host.")
        name = comm(pid)
        if not name or pid in self._own:
            why = "it is ringtop's own" if name else "there is none with this id"
            raise CannotTrace(what, why, "Start a command with `ringtop -- COMMAND`.")
        self._forks.attach()
        self.marks.follow(pid)
        self.scope = tree(f"{name} ({pid}) and what it starts")


def threads(pid: int) -> Iterator[int]:
    """The threads of a process that run now; none when it has ended."""
    with suppress(OSError):
        yield from (int(task.name) for task in Path(f"/proc/{pid}/task").iterdir())


def comm(pid: int) -> str:
    """The name of a process, which may be any text; empty when there is no such process."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text(errors="replace").removesuffix("\n")
    return ""
