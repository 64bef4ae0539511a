"""Undecided tries along PATH, as one fold has counted them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ringtop.tui.top.cells import OTHERS
from ringtop.tui.top.groups import Codes
from ringtop.tui.top.hashing import Hashes

Tries = NDArray[np.void]
"""Counts of tries, each of one chain, one row and one second; dtype ``TRIES``."""
TRIES = np.dtype(
    [("chain", "<u8"), ("row", "<i8"), ("second", "<i8"), ("count", "<i8"), ("lookups", "<i8"), ("error", "<i8")]
)


class Undecided:
    """The tries that are kept until their chain is decided."""

    def __init__(self) -> None:
        self._tries: Tries = np.empty(0, TRIES)

    def add(self, chains: Hashes, rows: Codes, seconds: Codes, begins: NDArray[np.bool_], errors: Codes) -> None:
        """Add tries, one for each element. *begins*: whether a try is the first of a look-up."""
        order = np.lexsort((seconds, rows, chains))
        tries = np.empty(len(order), TRIES)
        for name, values in (("chain", chains), ("row", rows), ("second", seconds), ("error", errors)):
            tries[name] = values[order]
        new = np.ones(len(order), np.bool_)
        new[1:] = False
        for name in ("chain", "row", "second"):
            new[1:] |= tries[name][1:] != tries[name][:-1]
        first = np.flatnonzero(new)
        tries = tries[first]
        tries["count"] = np.diff(first, append=len(order))
        tries["lookups"] = np.add.reduceat(begins[order].astype(np.int64), first) if len(first) else 0
        self._tries = np.concatenate([self._tries, tries])

    def close(self, chains: Hashes) -> Tries:
        """Remove and return the tries of *chains*."""
        closed = np.isin(self._tries["chain"], chains)
        found, self._tries = self._tries[closed], self._tries[~closed]
        return found

    def renumber(self, to: Codes) -> None:
        """Give rows new numbers, as ``Cells.renumber`` does; the tries of evicted rows become tries of OTHERS."""
        rows = self._tries["row"]
        self._tries["row"] = np.where(rows >= 0, to[rows], OTHERS)
