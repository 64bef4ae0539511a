"""Whom a wait for a CPU is because of: who used most of that CPU meanwhile, as runqslower adds it up in the kernel
(``include/slices.h``)."""

from __future__ import annotations

import numpy as np

from ringtop.bpf.event.batch import Batch

IDLE, SHORT, MOVED, UNRECORDED = b"(idle)", b"(short runs)", b"(other CPU)", b"(not recorded)"
NOBODY = np.array([IDLE, SHORT, MOVED, UNRECORDED])
"""In place of a culprit's name, what else took most of the wait: the CPU was idle; many tasks ran, each too shortly to
be told apart; the task waited on another CPU; what ran is not known. Shape (4,), dtype S14."""


def blamed(batch: Batch) -> Batch:
    """The batch with a culprit only where it took more of the wait than anything but processes did; elsewhere its place
    has the name and the share of what took more, and no process."""
    if "culprit_pid" not in batch.schema or not len(batch):
        return batch
    batch = batch.copy()
    rows = batch.rows
    parts = np.zeros((len(NOBODY), len(rows)), np.int16)
    parts[:-1] = rows["idle_share"], rows["short_share"], rows["moved_share"]
    parts[-1] = np.maximum(100 - parts.sum(axis=0) - rows["others_share"] - rows["culprit_share"], 0)
    most = parts.argmax(axis=0)
    share = parts.max(axis=0)
    nobody = share >= rows["culprit_share"]
    rows["culprit_pid"][nobody] = 0
    rows["culprit_comm"][nobody] = NOBODY[most[nobody]]
    rows["culprit_share"][nobody] = share[nobody]
    return batch
