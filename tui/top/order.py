"""The order of rows on a screen: ranked, and still enough to be read.

It changes every two seconds at most. A row passes the one above it at once when it has a tenth more, and after some
rounds when it has less than that more; one that has half of everything goes straight up. Values may move meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.uint64]

ROUND_S = 2.0
HOLD_S = 5.0
"""So long the order stays after a key that moves the cursor."""
_STEPS = ((0.10, 1), (0.01, 3), (0.0, 15))
"""How much more a row must have to pass, as a part, and in how many rounds after each other."""
_HALF = 0.5
_CAREFUL = 256
"""Rows at the top that are moved with care; below them nobody reads along."""


class Order:
    """An order of ids, from round to round. *clock* is in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ids: list[int] = []
        self._round = float("-inf")
        self._until = float("-inf")
        self._ahead: dict[tuple[int, int], int] = {}
        self.held = False
        """It stays as it is until this is set back."""

    def touch(self) -> None:
        """The cursor was moved: the order stays for a while."""
        self._until = self._clock() + HOLD_S

    def release(self) -> None:
        """Let it go, and put it right in the next round."""
        self.held, self._until, self._round = False, float("-inf"), float("-inf")

    def reset(self) -> None:
        """Forget it: rows are ranked anew, by something else."""
        self.release()
        self._ids.clear()
        self._ahead.clear()

    @property
    def resting(self) -> bool:
        """Whether it stays as it is for now."""
        return self.held or self._clock() < self._until

    def arrange(self, ids: Ids, values: NDArray[np.float64], top: Sequence[int] = (), exactly: bool = False) -> Ids:
        """*ids* (distinct) in order; *values* are what they are ranked by, and those of *top* stand above all others.

        Ids that were not there before come last until the next round. *exactly*: a round sorts (names and times).
        """
        order = np.argsort(-values, kind="stable")
        kept = [i for i in self._ids if i in set(ids[np.isin(ids, np.array(self._ids, np.uint64))].tolist())]
        if not self.resting and self._clock() - self._round >= ROUND_S:
            self._round = self._clock()
            kept = self._ranked(kept, ids, values, order) if not exactly else ids[order[:_CAREFUL]].tolist()
        self._ids = kept
        above = set(top)
        first = np.array([*top, *(i for i in kept if i not in above)], np.uint64)
        first = first[np.isin(first, ids)]
        return np.concatenate([first, ids[order][~np.isin(ids[order], first)]])

    def _ranked(self, kept: list[int], ids: Ids, values: NDArray[np.float64], order: NDArray[np.intp]) -> list[int]:
        careful = np.union1d(order[:_CAREFUL], np.flatnonzero(np.isin(ids, np.array(kept, np.uint64))))
        known = dict(zip(ids[careful].tolist(), values[careful].tolist(), strict=True))
        rows = list(dict.fromkeys([*kept, *ids[order[:_CAREFUL]].tolist()]))
        half = _HALF * float(values.sum())
        ahead: dict[tuple[int, int], int] = {}
        for at in range(1, len(rows)):
            place = at
            while place and self._passes(rows[at], rows[place - 1], known, half, ahead):
                place -= 1
            if place != at:
                rows.insert(place, rows.pop(at))
        self._ahead = ahead
        return rows[:_CAREFUL]

    def _passes(
        self, row: int, above: int, values: dict[int, float], half: float, ahead: dict[tuple[int, int], int]
    ) -> bool:
        mine, other = values[row], values[above]
        if mine <= other:
            return False
        rounds = ahead[row, above] = self._ahead.get((row, above), 0) + 1
        more = (mine - other) / max(min(abs(mine), abs(other)), 1e-9)
        return mine >= half > 0 or any(more > least and rounds >= enough for least, enough in _STEPS)
