"""What events belong to: the container, or else the unit, of their control groups."""

from __future__ import annotations

import os
from collections.abc import Iterable

import numpy as np

from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.cgroup import whole


def belonging(batches: Iterable[Batch]) -> list[tuple[int, int]]:
    """For each container or unit that the events of *batches* belong to, the number of its host and the id of one of
    its control groups."""
    found: dict[tuple[int, str], int] = {}
    for batch in batches:
        for host in np.unique(batch.rows["host"]).tolist():
            for group in batch.names.groups(batch.take(batch.rows["host"] == host).rows)[0]:
                if group.cgroup:
                    found[host, whole(os.fsdecode(group.cgroup_path)) or str(group.cgroup)] = group.cgroup
    return [(host, cgroup) for (host, _), cgroup in found.items()]
