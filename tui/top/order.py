"""The order of rows on a screen: ranked, and still enough to be read.

The order changes in rounds, at most every two seconds. A row passes the row above it at once when its value is more
than a tenth larger, and from its third consecutive round ahead when it is more than a hundredth larger. Rows that
differ by less change places only when neither has had an event since the round before. Values may change between
rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.uint64]

ROUND_S = 2.0
HOLD_S = 5.0
"""How long the order stays after a key that moves the cursor."""
_MUCH, _LITTLE = 0.10, 0.01
_ROUNDS = 3
_CAREFUL = 256
"""Rows at the top that are moved with care; rows below, which few people read, are sorted each time."""


@dataclass(frozen=True, slots=True)
class _Row:
    value: float
    last_ns: int
    still: bool
    """The row has had no event since the round before."""


class Order:
    """An order of ids, from round to round. *clock* is in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ids: list[int] = []
        self._round = float("-inf")
        self._until = float("-inf")
        self._ahead: dict[tuple[int, int], int] = {}
        """For a row and a row above it: the number of consecutive rounds with the larger value below."""
        self._rows: dict[int, _Row] = {}
        """The careful rows as they were in the round before."""
        self.held = False
        """The order stays as it is while this is True."""

    def touch(self) -> None:
        """The cursor was moved: the order stays for a while."""
        self._until = self._clock() + HOLD_S

    def release(self) -> None:
        """End any hold and start a round at the next ``arrange``."""
        self.held, self._until, self._round = False, float("-inf"), float("-inf")

    def reset(self) -> None:
        """Forget the order, because rows are ranked by another value now."""
        self.release()
        self._ids.clear()
        self._ahead.clear()

    @property
    def resting(self) -> bool:
        """Whether the order is held for now."""
        return self.held or self._clock() < self._until

    def arrange(
        self,
        ids: Ids,
        values: NDArray[np.float64],
        last_ns: NDArray[np.int64],
        top: Sequence[int] = (),
        exactly: bool = False,
    ) -> Ids:
        """The distinct *ids* in order, shape (n,). *values*: what they are ranked by; *last_ns*: their newest events.

        The ids of *top* stand above all others. New ids come after those already in order until the next round. With
        *exactly*, a round sorts strictly by value, as times need.
        """
        order = np.argsort(-values, kind="stable")
        there = set(ids[np.isin(ids, np.array(self._ids, np.uint64))].tolist())
        kept = [i for i in self._ids if i in there]
        if not self.resting and self._clock() - self._round >= ROUND_S:
            self._round = self._clock()
            first = ids[order[:_CAREFUL]].tolist()
            kept = first if exactly else self._ranked(list(dict.fromkeys([*kept, *first])), ids, values, last_ns)
        self._ids = kept[:_CAREFUL]
        above = set(top)
        first = np.array([*top, *(i for i in self._ids if i not in above)], np.uint64)
        first = first[np.isin(first, ids)]
        return np.concatenate([first, ids[order][~np.isin(ids[order], first)]])

    def _ranked(self, rows: list[int], ids: Ids, values: NDArray[np.float64], last_ns: NDArray[np.int64]) -> list[int]:
        careful = np.flatnonzero(np.isin(ids, np.array(rows, np.uint64)))
        now = {
            one: _Row(value, last, self._rows[one].last_ns == last if one in self._rows else False)
            for one, value, last in zip(
                ids[careful].tolist(), values[careful].tolist(), last_ns[careful].tolist(), strict=True
            )
        }
        ahead: dict[tuple[int, int], int] = {}
        for at in range(1, len(rows)):
            place = at
            while place and self._passes(rows[at], rows[place - 1], now, ahead):
                place -= 1
            if place != at:
                rows.insert(place, rows.pop(at))
        self._ahead, self._rows = ahead, now
        return rows

    def _passes(self, row: int, above: int, now: dict[int, _Row], ahead: dict[tuple[int, int], int]) -> bool:
        mine, other = now[row], now[above]
        if mine.value <= other.value:
            return False
        rounds = ahead[row, above] = self._ahead.get((row, above), 0) + 1
        more = (mine.value - other.value) / max(min(abs(mine.value), abs(other.value)), 1e-9)
        return more > _MUCH or (more > _LITTLE and rounds >= _ROUNDS) or (mine.still and other.still)
