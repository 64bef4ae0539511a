"""The names of numbers in rows: hosts, and the unit and the container that a control group belongs to."""

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
"""Control groups of a host that are kept. One that has had more loses the names of those told first."""


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
        self.hosts: dict[int, bytes] = {}
        """What hosts are called, by their numbers, where several are read."""
        self._groups: dict[int, dict[int, Group]] = {}
        """By host and id."""

    def tell(self, cgroup: int, path: bytes, named: bytes = b"", host: int = 0) -> None:
        """Keep the path of a control group, by its id and the number of its host (parts of rows)."""
        found = membership(os.fsdecode(path[:LONGEST]))
        named = named[:LONGEST]
        container = named if named and found.container else os.fsencode(found.short)
        groups = self._groups.setdefault(host, {})
        while len(groups) >= MOST:
            groups.pop(next(iter(groups)), None)
        groups[cgroup] = Group(cgroup, path[:LONGEST], named, os.fsencode(found.unit), container)

    def told(self, host: int = 0) -> list[Group]:
        """What was told of the control groups of *host*."""
        return list(self._groups.get(host, {}).values())

    def group(self, cgroup: int, host: int = 0) -> Group:
        """What is known of the control group with this id."""
        return self._groups.get(host, {}).get(cgroup) or Group(cgroup)

    def groups(self, rows: Rows) -> tuple[list[Group], NDArray[np.intp]]:
        """The control groups that *rows* have, each once, and for each row its position among them, shape (n,)."""
        hosts, of_hosts = np.unique(rows["host"], return_inverse=True)
        cgroups, of_cgroups = np.unique(rows["cgroup"], return_inverse=True)
        pairs, of = np.unique(of_hosts * len(cgroups) + of_cgroups, return_inverse=True)
        at_host, at_cgroup = np.divmod(pairs, max(1, len(cgroups)))
        told = zip(cgroups[at_cgroup].tolist(), hosts[at_host].tolist(), strict=True)
        return [self.group(cgroup, host) for cgroup, host in told], of

    def values(self, field: str, rows: Rows) -> tuple[list[bytes], NDArray[np.intp]]:
        """The raw, untrusted values of a field of the kind ``name``: a few, which need not differ, and for each row the
        position of its own among them, shape (n,)."""
        if field == "host":
            hosts, positions = np.unique(rows["host"], return_inverse=True)
            return [self.hosts.get(host, b"") for host in hosts.tolist()], positions
        groups, of = self.groups(rows)
        return [getattr(group, field) for group in groups], of


UNNAMED = Names()
"""Of batches that are not read from a stream. Nothing is told to it."""
