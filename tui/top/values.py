"""What is added up of each event."""

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
    """Of the events of one program, by event; None where no event can have it."""

    program: str
    failed: Flags | None = None
    searched: Flags | None = None
    waited: NDArray[np.int64] | None = None
    """ns."""
    preempted: Flags | None = None

    def at(self, some: Some) -> Values:
        """Of some of them."""
        return Values(
            self.program,
            None if self.failed is None else self.failed[some],
            None if self.searched is None else self.searched[some],
            None if self.waited is None else self.waited[some],
            None if self.preempted is None else self.preempted[some],
        )

    def sums(self, groups: Groups, measures: Measures) -> Counts:
        """Of each group, as ``Measures.names`` has them; shape (sums, groups)."""
        found = np.zeros((len(measures.names), len(groups)), np.int64)
        named = (("failed", self.failed), ("searched", self.searched), ("waited", self.waited))
        for name, values in (*named, ("preempted", self.preempted)):
            if values is not None and name in measures.names:
                found[measures.names.index(name)] = groups.sum(values)
        done = measures.done.index(self.program)
        found[done] = groups.counts - found[len(measures.done) : measures.outcomes].sum(axis=0)
        return found
