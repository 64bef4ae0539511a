"""Sums by name: of rows, or of what is in none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ringtop.tui.top.groups import Counts
from ringtop.tui.top.measures import Measures


@dataclass(frozen=True, slots=True)
class Tally:
    """What *measures* keep, shape (sums, rows). All that is asked for has one value a row."""

    measures: Measures
    values: Counts

    def of(self, name: str) -> Counts:
        """One of the sums; 0 where it is not kept."""
        names = self.measures.names
        found: Counts = self.values[names.index(name)] if name in names else np.zeros_like(self.values[0])
        return found

    @property
    def done(self) -> Counts:
        """Events neither failed nor searched."""
        return self._sum(len(self.measures.done))

    @property
    def happened(self) -> Counts:
        """Events that were not searched."""
        return self._sum(self.measures.outcomes) - self.of("searched")

    @property
    def events(self) -> Counts:
        """All events."""
        return self._sum(self.measures.outcomes)

    def _sum(self, count: int) -> Counts:
        found: Counts = self.values[:count].sum(axis=0)
        return found
