"""Who caused an event, beyond what the hook knew.

A thread's process, parent and user are looked up in /proc where the hook did not know them; a thread that has ended
stays unknown. A cgroup that says nothing is made unknown. Nothing is guessed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ringtop.bpf.common.clock import began_ns
from ringtop.bpf.event.batch import Batch, Rows
from ringtop.bpf.event.schema import UNKNOWN

_MOST = 256
"""Most threads looked up for one batch: a storm of events must not become a storm of /proc reads."""


def _status(tid: int) -> dict[str, int]:
    """The first number of each numeric line of /proc/TID/status. Raises OSError."""
    found = {}
    for line in Path(f"/proc/{tid}/status").read_bytes().splitlines():
        name, _, value = line.partition(b":")
        number = value.split()[:1]
        if number and number[0].isdigit():
            found[name.decode()] = int(number[0])
    return found


def without_root_group(batch: Batch) -> Batch:
    """The batch with the cgroup unknown where it is the root of the unified hierarchy. On a host with cgroup v1, tasks
    of all units may be there, so it says nothing where hooks know that hierarchy alone.

    Its id is 1 (Linux 5.5), and before that has a generation in its upper half (kernfs_create_root in fs/kernfs/dir.c).
    """
    batch = batch.copy()
    rows = batch.rows
    rows["cgroup"][rows["cgroup"] & np.uint64(0xFFFF_FFFF) == 1] = 0
    return batch


def resolve(batch: Batch) -> Batch:
    """The batch with pid, ppid and uid filled in where they were unknown and the event's thread is still alive."""
    rows: Rows = batch.rows
    unknown = np.flatnonzero((rows["pid"] == UNKNOWN) | (rows["ppid"] == UNKNOWN))
    if not len(unknown):
        return batch
    batch = batch.copy()
    rows = batch.rows
    tids, first = np.unique(rows["tid"][unknown], return_index=True)
    for tid, at in zip(tids[:_MOST].tolist(), first[:_MOST].tolist(), strict=True):
        try:
            # The thread is younger than the event, so its id has been reused since.
            if began_ns(tid) > int(rows["ts"][unknown[at]]):
                continue
            status = _status(tid)
        except (OSError, ValueError):
            continue
        mine = unknown[rows["tid"][unknown] == tid]
        for field, name in (("pid", "Tgid"), ("ppid", "PPid"), ("uid", "Uid")):
            known = rows[field][mine]
            rows[field][mine] = np.where(known == UNKNOWN, status.get(name, UNKNOWN), known)
    return batch
