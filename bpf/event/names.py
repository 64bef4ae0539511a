"""The names of numbers in rows: which unit and which container a control group belongs to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.event.cgroup import membership

if TYPE_CHECKING:
    from ringtop.bpf.event.batch import Rows

LONGEST = 1024
"""Bytes of the longest path and of the longest name of a container that are kept."""
MOST = 4096
"""Control groups that are kept. A host that has had more loses the names of those told first."""


@dataclass(frozen=True, slots=True)
class Group:
    """A control group. All text is untrusted: others wrote it."""

    cgroup: int
    """Its id."""
    cgroup_path: bytes = b""
    """Its path in its hierarchy; empty when nothing is known of it."""
    named: bytes = b""
    """What its container's runtime calls the container; empty when that is not known."""
    unit: bytes = b""
    """The systemd unit; empty when it belongs to none."""
    container: bytes = b""
    """The name or else the short id of the container; empty when it belongs to none."""


class Names:
    """The names of one stream, or of all streams that are read together. One thread may tell names while others ask."""

    def __init__(self) -> None:
        self._groups: dict[tuple[int, int], Group] = {}

    def tell(self, cgroup: int, path: bytes, named: bytes = b"", host: int = 0) -> None:
        """Keep the path of a control group, by its id and the number of its host (parts of rows)."""
        found = membership(os.fsdecode(path[:LONGEST]))
        named = named[:LONGEST]
        container = named if named and found.container else os.fsencode(found.short)
        while len(self._groups) >= MOST:
            self._groups.pop(next(iter(self._groups)), None)
        self._groups[host, cgroup] = Group(cgroup, path[:LONGEST], named, os.fsencode(found.unit), container)

    def told(self, host: int = 0) -> list[Group]:
        """What was told of the control groups of *host*."""
        return [group for (at, _), group in list(self._groups.items()) if at == host]

    def group(self, cgroup: int, host: int = 0) -> Group:
        """What is known of the control group with this id."""
        return self._groups.get((host, cgroup)) or Group(cgroup)

    def groups(self, rows: Rows) -> tuple[list[Group], NDArray[np.intp]]:
        """The control groups that *rows* have, each once, and for each row its position among them, shape (n,)."""
        found: list[Group] = []
        of = np.zeros(len(rows), np.intp)
        for host in np.unique(rows["host"]).tolist():
            here = np.flatnonzero(rows["host"] == host)
            cgroups, positions = np.unique(rows["cgroup"][here], return_inverse=True)
            of[here] = positions + len(found)
            found += [self.group(cgroup, host) for cgroup in cgroups.tolist()]
        return found, of

    def values(self, field: str, rows: Rows) -> tuple[list[bytes], NDArray[np.intp]]:
        """The raw, untrusted values of a field of the kind ``name``: a few, which need not differ, and for each row the
        position of its own among them, shape (n,)."""
        groups, of = self.groups(rows)
        return [getattr(group, field) for group in groups], of


UNNAMED = Names()
"""Of batches that are not read from a stream. Nothing is told to it."""
