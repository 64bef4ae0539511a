"""Whose events are wanted: everybody's but ringtop's own, or only those of some processes and of what they start."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from ringtop.bpf.collector.containers import Containers
from ringtop.bpf.collector.wanted import Finder, Wanted
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.kernel import parents
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.forks import Forks
from ringtop.bpf.kernel.marks import HOST, Marks, members, trees
from ringtop.bpf.kernel.newgroup import NewGroup

_PASSES = 100
"""Most passes over /proc in search of what has not got its mark from its parent."""


class Following:
    """Keeps the *marks*, by which the programs know whose events are wanted. *own* are the ids of ringtop's own
    processes."""

    def __init__(self, kernel: Kernel, marks: Marks, own: Sequence[int]) -> None:
        self.marks = marks
        self.containers = Containers()
        """The names of containers, which the collector reads while it is root."""
        self._group: Wanted | None = None
        """The control group that is followed, as it was when that began."""
        self._gone = False
        self.scope = HOST
        """The scope in force."""
        self._kernel = kernel
        self._own = own if not kernel.inner_pids else ()  # else the ids would name other processes
        self._alive: dict[int, str] = {}
        """The processes that are followed and run: their names by a descriptor of the process."""

    def exclude_own(self) -> None:
        """Keep out the events of ringtop's own processes. Some hooks know only the thread, so each thread that runs
        now has the mark, too: call this again for those that are started later."""
        self.marks.exclude([*self._own, *(thread for pid in self._own for thread in _threads(pid))])

    @cached_property
    def _forks(self) -> Forks:
        return Forks(self._kernel, self.marks)

    def prepare(self) -> None:
        """Find out how forks can be followed, for which the process may later lack the rights."""
        with suppress(CannotTrace):  # it is told when something is to be followed
            _ = self._forks

    @property
    def hooks(self) -> dict[str, int]:
        """File descriptors of the hooks that see forks, by name. One is attached only while something is followed."""
        return self.marks.origins.hooks | self.marks.group.hooks | (self._forks.hooks if "_forks" in vars(self) else {})

    def launch(self, pid: int) -> None:
        """Follow the process *pid*, which waits to become a command, and what it starts. Raises CannotTrace."""
        name = self._name(pid)
        self._forks.attach()
        self.marks.follow(pid)
        self.scope = trees(f"{name} and what it starts", [pid])

    def follow(self, pids: Sequence[int]) -> None:
        """Follow the processes *pids*, what they have started and what they start from now on; everybody when there are
        none. Raises CannotTrace, and then everything stays as it is."""
        if tuple(pids) == self.scope.pids and not self.scope.cgroup:
            return
        names = [self._name(pid) for pid in pids]
        if pids:
            forks = self._forks
            forks.detach()
            self.marks.forget_followed()
            forks.attach()
            self._mark(pids)
            they, them = ("they start", "them") if len(names) > 1 else ("it starts", "it")
            what = f"{', '.join(names)} and what {they}, but not what detached from {them} before"
            self.scope = trees(what, pids)
        else:
            self.scope = HOST
            self._forget_processes()
        self._forget_group()
        self._watch(dict(zip(pids, names, strict=True)))

    def follow_group(self, find: Callable[[Finder], Wanted]) -> None:
        """Follow the control group that *find* finds, and what is made in its place when it is gone. Raises
        CannotTrace, and then everything stays as it is."""
        NewGroup(self._kernel)  # what the kernel lacks is told before what is not found
        wanted = find(Finder(self._kernel.hierarchy.top, self.containers))
        self.marks.group.want(wanted.cgroup, wanted.path)
        self._forget_processes()
        self._group, self._gone = wanted, False
        self.scope = members(_in_one_line(wanted.name), wanted.cgroup)

    def _forget_processes(self) -> None:
        if "_forks" in vars(self):
            self._forks.detach()
        self._watch({})

    def _forget_group(self) -> None:
        if self._group is not None:
            self.marks.group.forget()
            self._group = None

    def group_news(self) -> str:
        """What became of the control group that is followed, since the last call; empty where nothing did."""
        top = self._kernel.hierarchy.top
        if self._group is None or top is None:
            return ""
        gone, self._gone = self._gone, not (top / os.fsdecode(self._group.path[1:])).exists()
        if gone == self._gone:
            return ""
        now = "is there again, and followed on" if gone else "has ended; it is followed on once it is there again"
        return f"{_in_one_line(self._group.name)} {now}"

    def _watch(self, names: dict[int, str]) -> None:
        for fd in self._alive:
            os.close(fd)
        self._alive.clear()
        for pid, name in names.items():
            with suppress(OSError):  # before Linux 5.3; or it has just ended
                self._alive[os.pidfd_open(pid)] = name

    def ended(self) -> Iterator[str]:
        """The names of the followed processes that have ended since the last call, but for a launched command."""
        poll = select.poll()
        for fd in self._alive:
            poll.register(fd, select.POLLIN)
        for fd, _ in poll.poll(0):
            os.close(fd)
            yield self._alive.pop(fd)

    def _name(self, pid: int) -> str:
        what = f"process {pid} cannot be followed"
        if self._kernel.inner_pids:
            raise CannotTrace(what, self._kernel.inner_pids, "Run it on the host.")
        if pid in self._own:
            raise CannotTrace(what, "it is ringtop's own", "Choose another one.")
        try:
            name = Path(f"/proc/{pid}/comm").read_text(errors="replace").removesuffix("\n")
        except OSError as e:
            raise CannotTrace(what, "there is none with this id", "`ps -e` lists all processes.") from e
        # Its name is told among words of ours, where a line break of its own would look like the end of them.
        return f"{_in_one_line(name)} ({pid})"

    def _mark(self, roots: Sequence[int]) -> None:
        """Mark these processes and all their descendants with all their threads. Forks are followed already: what a
        task starts after it was marked has its mark. A pass that finds nothing without a mark is the last."""
        for _ in range(_PASSES):
            above = {pid: parents.parent(pid) for pid in parents.processes()}
            found = more = set(roots)
            while more:
                more = {pid for pid, parent in above.items() if parent in found} - found
                found |= more
            unmarked = [t for pid in found for t in {pid, *_threads(pid)} if not self.marks.is_followed(t)]
            for task in unmarked:
                self.marks.follow(task)
            if not unmarked:
                return


def _in_one_line(name: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in name)


def _threads(pid: int) -> Iterator[int]:
    """The threads of a process that run now; none when it has ended."""
    with suppress(OSError):
        yield from (int(task.name) for task in Path(f"/proc/{pid}/task").iterdir())
