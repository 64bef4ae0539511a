"""Sets of integers as sorted intervals that neither overlap nor touch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Interval = tuple[int, int]
"""The first and the last number of an interval, both included."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """A set of numbers within *domain*, as sorted intervals."""

    domain: Interval
    parts: tuple[Interval, ...]

    @classmethod
    def of(cls, domain: Interval, parts: Iterable[Interval]) -> Intervals:
        """Return the union of *parts*, which may be in any order, cut to *domain*."""
        merged: list[Interval] = []
        for low, high in sorted(parts):
            low, high = max(low, domain[0]), min(high, domain[1])
            if low > high:
                continue
            if merged and low <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
            else:
                merged.append((low, high))
        return cls(domain, tuple(merged))

    def __and__(self, other: Intervals) -> Intervals:
        pairs = ((max(a, c), min(b, d)) for a, b in self.parts for c, d in other.parts)
        return Intervals.of(self.domain, [(low, high) for low, high in pairs if low <= high])

    def __or__(self, other: Intervals) -> Intervals:
        return Intervals.of(self.domain, self.parts + other.parts)

    def __invert__(self) -> Intervals:
        low = self.domain[0]
        gaps = []
        for first, last in self.parts:
            gaps.append((low, first - 1))
            low = last + 1
        return Intervals.of(self.domain, [(a, b) for a, b in [*gaps, (low, self.domain[1])] if a <= b])
