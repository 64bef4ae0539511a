"""The values of each event that are added up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ringtop.tui.top.groups import Counts, Groups
from ringtop.tui.top.measures import Measures

Some = slice | NDArray[np.bool_]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Values:
    """The values of the events of one program, shape (n,) each; None for values that the program does not have."""

    program: str
    failed: Flags | None = None
    searched: Flags | None = None
    waited: NDArray[np.int64] | None = None
    """Time waited, ns."""
    preempted: Flags | None = None
    ran: NDArray[np.int64] | None = None
    """Time that a process ran, ns."""

    def at(self, some: Some) -> Values:
        """The values of some of the events."""
        return Values(
            self.program,
            None if self.failed is None else self.failed[some],
            None if self.searched is None else self.searched[some],
            None if self.waited is None else self.waited[some],
            None if self.preempted is None else self.preempted[some],
            None if self.ran is None else self.ran[some],
        )

    def sums(self, groups: Groups, measures: Measures) -> Counts:
        """The sums of each group, in the order of ``Measures.names``; shape (sums, groups)."""
        found = np.zeros((len(measures.names), len(groups)), np.int64)
        named = (("failed", self.failed), ("searched", self.searched), ("waited", self.waited))
        for name, values in (*named, ("preempted", self.preempted), ("ran", self.ran)):
            if values is not None and name in measures.names:
                found[measures.names.index(name)] = groups.sum(values)
        done = measures.done.index(self.program)
        found[done] = groups.counts - found[len(measures.done) : measures.outcomes].sum(axis=0)
        return found
