"""Sums by name, of rows or of the events in no row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ringtop.tui.top.groups import Counts
from ringtop.tui.top.measures import Measures


@dataclass(frozen=True, slots=True)
class Tally:
    """The sums that *measures* names, shape (sums, rows). Each property has shape (rows,)."""

    measures: Measures
    values: Counts

    def of(self, name: str) -> Counts:
        """The sum called *name*; 0 when it is not kept."""
        names = self.measures.names
        found: Counts = self.values[names.index(name)] if name in names else np.zeros_like(self.values[0])
        return found

    @property
    def done(self) -> Counts:
        """Events that neither failed nor were searched."""
        return self._sum(len(self.measures.done))

    @property
    def happened(self) -> Counts:
        """Events without searched tries."""
        return self._sum(self.measures.outcomes) - self.of("searched")

    @property
    def events(self) -> Counts:
        """All events."""
        return self._sum(self.measures.outcomes)

    def _sum(self, count: int) -> Counts:
        found: Counts = self.values[:count].sum(axis=0)
        return found
