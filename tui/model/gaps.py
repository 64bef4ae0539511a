"""Finds lost events: holes in the sequence numbers of each CPU."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.event.batch import Batch

_HOST = 32
"""A CPU is known by its number, with that of its host above these bits."""


class SequenceCheck:
    """The next sequence number expected from each CPU of each host, for one program."""

    def __init__(self) -> None:
        self._next: dict[int, int] = {}

    def reset(self, host: int) -> None:
        """Accept any next number of *host*: after a new collector, or after events that were skipped on purpose."""
        self._next = {cpu: seq for cpu, seq in self._next.items() if cpu >> _HOST != host}

    def missing(self, batch: Batch) -> NDArray[np.uint32]:
        """The number of events of its CPU missing just before each row, uint32; 0 for the first event of a CPU.

        A late event, whose number is below the expected one, opens no gap and does not change the expected number.
        """
        lost = np.zeros(len(batch), np.uint32)
        if not len(batch):
            return lost
        cpus = batch.rows["host"].astype(np.int64) << _HOST | batch.rows["cpu"]
        order = np.argsort(cpus, kind="stable")
        sorted_cpus = cpus[order]
        seq = batch.rows["seq"][order].astype(np.int64)
        starts = np.flatnonzero(np.concatenate(([True], sorted_cpus[1:] != sorted_cpus[:-1])))
        known = sorted_cpus[starts].tolist()
        expected = [self._next.get(cpu) for cpu in known]
        first = seq[starts]
        before = np.empty(len(seq), np.int64)
        before[1:] = seq[:-1] + 1
        before[starts] = [number if at is None else at for at, number in zip(expected, first.tolist(), strict=True)]
        late = np.flatnonzero(seq < before)
        ends = [*starts[1:].tolist(), len(seq)]
        following = (seq[np.array(ends) - 1] + 1).tolist()
        for run in np.unique(np.searchsorted(starts, late, side="right") - 1).tolist():
            some = slice(int(starts[run]), ends[run])
            least = int(before[some.start])
            reached = np.maximum(np.maximum.accumulate(seq[some]) + 1, least)
            before[some.start + 1 : some.stop] = reached[:-1]
            following[run] = int(reached[-1])
        lost[order] = np.clip(seq - before, 0, np.iinfo(np.uint32).max)
        self._next.update(zip(known, following, strict=True))
        return lost
