"""Finds lost events: holes in the sequence numbers of each CPU."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.event.batch import Batch


class SequenceCheck:
    """The next sequence number expected from each CPU, for one program."""

    def __init__(self) -> None:
        self._next: dict[int, int] = {}

    def reset(self) -> None:
        """Accept any next number: after a new collector, or after events that were skipped on purpose."""
        self._next.clear()

    def missing(self, batch: Batch) -> NDArray[np.uint32]:
        """The number of events of its CPU missing just before each row, uint32; 0 for the first event of a CPU.

        A late event, whose number is below the expected one, opens no gap and does not change the expected number.
        """
        lost = np.zeros(len(batch), np.uint32)
        if not len(batch):
            return lost
        cpus = batch.rows["cpu"]
        order = np.argsort(cpus, kind="stable")
        sorted_cpus = cpus[order]
        seq = batch.rows["seq"][order].astype(np.int64)
        starts = np.flatnonzero(np.concatenate(([True], sorted_cpus[1:] != sorted_cpus[:-1])))
        for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(seq)], strict=True):
            run = seq[start:stop]
            cpu = int(sorted_cpus[start])
            expected = self._next.get(cpu)
            reached = np.maximum.accumulate(run)
            before = np.empty(len(run), np.int64)
            before[1:] = reached[:-1] + 1
            before[0] = run[0] if expected is None else expected
            if expected is not None:
                before = np.maximum(before, expected)
            lost[order[start:stop]] = np.clip(run - before, 0, np.iinfo(np.uint32).max)
            self._next[cpu] = max(int(reached[-1]) + 1, expected or 0)
        return lost
