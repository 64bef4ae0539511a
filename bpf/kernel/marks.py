"""The marks: a byte for each task of the machine, which tells the programs whose events are wanted.

All programs share one array, so that a mark is set for all of them at once. A task is a thread, and the mark of a
process is that of its first thread, which has the process's id.
"""

from __future__ import annotations

import errno
import mmap
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.kernel import syscall
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.limits import allow_locked
from ringtop.bpf.kernel.origins import Origins
from ringtop.bpf.kernel.scope import WantedGroup

OURS = 1
"""The mark of ringtop's own tasks."""
FOLLOWED = 2
"""The mark of the tasks that are followed."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The tasks whose events are wanted: those whose marks have the *value* in the bits of *mask*."""

    mask: int
    value: int
    text: str = ""
    """Who they are, in words that are not yet safe to show; empty where they are the whole host's."""
    pids: tuple[int, ...] = ()
    """The processes at the tops of the trees."""
    cgroup: int = 0
    """The control group that they are in; 0 where it does not matter."""


ALL = Scope(0, 0)
"""Everybody's, ringtop's own included."""
HOST = Scope(OURS, 0)
"""Everybody's but ringtop's own."""


def trees(text: str, pids: Sequence[int]) -> Scope:
    """The scope of the tasks that are followed: the processes *pids* and what they start, which *text* names."""
    return Scope(OURS | FOLLOWED, FOLLOWED, text, tuple(pids))


def members(text: str, cgroup: int) -> Scope:
    """The scope of the tasks in a control group, which *text* names, and in those below it."""
    return Scope(OURS, 0, text, (), cgroup)


_ELEMENT = 8
"""Bytes of an element: the kernel gives every element of an array a multiple of that."""


class Marks:
    """The array, for all tasks that *kernel* can have. Where an array cannot be mapped (before Linux 5.5), a mark has
    an element of its own: several in one could be changed only together, and by two at once. Raises CannotTrace."""

    def __init__(self, kernel: Kernel) -> None:
        allow_locked()
        self.shift = 3
        """The binary logarithm of the number of marks in an element."""
        self._mapped: mmap.mmap | None = None
        try:
            self.fd = _create(entries := (kernel.pid_max >> self.shift) + 1, syscall.MAP_MMAPABLE)
            self._mapped = mmap.mmap(self.fd, entries * _ELEMENT)
        except OSError as e:
            if e.errno != errno.EINVAL:
                raise _refused(e) from e
            self.shift = 0
            try:
                self.fd = _create(kernel.pid_max + 1, 0)
            except OSError as again:
                raise _refused(again) from again
        self.origins = Origins()
        """Who forked each process: the programs share this, too."""
        self.group = WantedGroup(kernel)
        """The control group whose events are wanted, where the scope is one: they share this, too."""
        self._tasks = kernel.pid_max
        self._excluded: set[int] = set()
        self._any_followed = False

    def exclude(self, tasks: Iterable[int]) -> None:
        """Keep out the events of these tasks, which are ringtop's own, instead of those of the last call."""
        now = set(tasks)
        for task in self._excluded - now:
            self._put(task, 0)
        for task in now:
            self._put(task, OURS)
        self._excluded = now

    def follow(self, task: int) -> None:
        """Mark a task as one that is followed."""
        self._any_followed = True
        self._put(task, FOLLOWED)

    def is_followed(self, task: int) -> bool:
        """Whether a task is marked as one that is followed."""
        if self._mapped is not None:
            return task < len(self._mapped) and bool(self._mapped[task] & FOLLOWED)
        element = np.zeros(1, np.uint64)
        with suppress(OSError):
            syscall.map_lookup(self.fd, task, element)
        return bool(int(element[0]) & FOLLOWED)

    def forget_followed(self) -> None:
        """Unmark all tasks that are followed. Call it while no fork is followed."""
        if not self._any_followed:
            return
        if self._mapped is not None:
            marks = np.frombuffer(self._mapped, np.uint8)
            marks &= OURS
        else:
            for task in filter(self.is_followed, range(self._tasks)):
                self._put(task, 0)
        self._any_followed = False

    def _put(self, task: int, mark: int) -> None:
        """Set the mark of a task. One that has a higher id than there could be at the start has no mark."""
        with suppress(OSError, IndexError):
            if self._mapped is not None:
                self._mapped[task] = mark  # one byte: the kernel may change its neighbours meanwhile
            else:
                syscall.map_update(self.fd, task, mark.to_bytes(_ELEMENT, sys.byteorder))

    def close(self) -> None:
        """Free the array. Programs that use it keep it."""
        if self._mapped is not None:
            self._mapped.close()
        self.origins.close()
        self.group.close()
        os.close(self.fd)


def _create(entries: int, flags: int) -> int:
    return syscall.map_create(syscall.MAP_TYPE_ARRAY, entries, 4, _ELEMENT, b"marks", flags=flags)


def _refused(error: OSError) -> CannotTrace:
    why = f"the kernel refused an array with a byte for each task: {error.strerror}"
    return CannotTrace("cannot trace", why, "`ringtop doctor` shows what this kernel lacks.")
