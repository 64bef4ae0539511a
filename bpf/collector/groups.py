"""What the control groups are called that events have: each is told once, before the first round that has it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from ringtop.bpf import stream
from ringtop.bpf.collector.containers import Containers
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.cgroup import membership
from ringtop.bpf.event.names import LONGEST, MOST
from ringtop.bpf.kernel import hierarchy
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.made import MadeGroups

_SLOTS = 1 << 16
_EVERY_S = 1.0
"""Seconds between two walks over all control groups."""


class Groups:
    """The control groups of the hierarchy mounted at *top*; nothing is known where that is None. *containers* has
    names. Inode numbers have the lower *bits* of ids."""

    def __init__(self, top: Path | None, containers: Containers, bits: int = 64) -> None:
        self._top, self._containers = top, containers
        self._mask = (1 << bits) - 1
        self._paths: dict[int, bytes] = {}
        """Paths by id, as the last walk found them."""
        self._walked = float("-inf")
        self._slots = np.zeros(_SLOTS, np.uint64)
        """The id seen last of those that share a slot: most events are found here to need nothing."""
        self._told: set[int] = set()
        self._made: MadeGroups | None = None
        self._untold: set[int] = set()
        """Ids that no walk has found yet."""

    @property
    def hooks(self) -> dict[str, int]:
        """File descriptors of the hooks that see groups made, by name."""
        return self._made.hooks if self._made is not None else {}

    def watch(self, kernel: Kernel) -> None:
        """See groups that are made from now on. Raises CannotTrace."""
        self._made = MadeGroups(kernel)

    def news(self, batches: Iterable[Batch]) -> Iterator[stream.Cgroups]:
        """What is to be told before a round with these events."""
        for batch in batches:
            self._see(batch)
        found = self._found() if self._untold else {}
        self._untold -= found.keys()
        if len(self._told) + len(found) > MOST:  # readers forget the oldest, which may still be there
            self._told.clear()
            self._slots[:] = 0
        self._told.update(found)
        told = [self._named(cgroup, _outer(path)) for cgroup, path in found.items()]
        for at in range(0, len(told), stream.MOST_GROUPS):
            yield stream.Cgroups(told[at : at + stream.MOST_GROUPS])

    def _found(self) -> dict[int, bytes]:
        """The paths of those that were not told yet, where they are known. One that a walk does not find is gone, and
        is not looked for again."""
        made = self._made.path if self._made is not None else lambda cgroup: b""
        paths = ((cgroup, self._paths.get(cgroup & self._mask) or made(cgroup)) for cgroup in self._untold)
        found = {cgroup: path for cgroup, path in paths if path}
        if self._top is not None and len(found) < len(self._untold) and time.monotonic() - self._walked > _EVERY_S:
            self._paths = dict(hierarchy.walk(self._top))
            self._walked = time.monotonic()
            walked = ((cgroup, self._paths.get(cgroup & self._mask)) for cgroup in self._untold)
            found |= {cgroup: path for cgroup, path in walked if path}
            self._told |= self._untold - found.keys()
            self._untold &= found.keys()
        return found

    def _named(self, cgroup: int, path: bytes) -> tuple[int, bytes, bytes]:
        container = membership(os.fsdecode(path)).container
        return cgroup, path, os.fsencode(self._containers.name(container))[:LONGEST]

    def _see(self, batch: Batch) -> None:
        cgroups = batch.rows["cgroup"]
        slots = cgroups % np.uint64(_SLOTS)
        unseen = cgroups[self._slots[slots] != cgroups]
        if len(unseen):
            self._slots[slots] = cgroups
            self._untold.update(cgroup for cgroup in np.unique(unseen).tolist() if cgroup not in self._told)
            while len(self._untold) > MOST:  # they went away before they were found
                self._untold.pop()


def _outer(path: bytes) -> bytes:
    """A path that is too long, without its end: the administrator names what is further up."""
    return path if len(path) <= LONGEST else path[: path.rindex(b"/", 0, LONGEST + 1)]
