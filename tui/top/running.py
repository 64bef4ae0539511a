"""The processes that run, as one fold has counted their execs: when they end, their rows are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ringtop.tui.top.groups import Codes

_RUNNING = np.dtype([("pid", "<u8"), ("ts", "<i8"), ("row", "<i8")])
_MOST = 1 << 16
"""Most processes that are kept; beyond, those whose execs are the oldest are forgotten."""
_APART_NS = 50_000_000
"""Most time between the two hooks that saw the same exec: an exec that is further away is another one."""


class Running:
    """The last exec of each process, by its id with the number of its host above (``Events.processes``)."""

    def __init__(self) -> None:
        self._execs: NDArray[np.void] = np.empty(0, _RUNNING)
        """In the order of their times."""

    def add(self, pids: NDArray[np.uint64], ts: NDArray[np.int64], rows: Codes) -> None:
        """Add execs, whose times *ts* are in order, and the *rows* that count them."""
        if not len(pids):
            return
        new = np.empty(len(pids), _RUNNING)
        new["pid"], new["ts"], new["row"] = pids, ts, rows
        execs = np.concatenate([self._execs[~np.isin(self._execs["pid"], pids)], new])
        self._execs = execs[-_MOST:]

    def close(
        self, pids: NDArray[np.uint64], ts: NDArray[np.int64], ran: NDArray[np.int64], age: NDArray[np.uint64]
    ) -> tuple[NDArray[np.intp], Codes]:
        """Remove the processes *pids*, which ended at *ts* and had run for *ran* since their last exec. Returns the
        positions of those whose exec is known, and the rows that count these execs."""
        ended = np.isin(self._execs["pid"], pids)
        execs, self._execs = self._execs[ended], self._execs[~ended]
        execs = execs[np.argsort(execs["pid"], kind="stable")]
        last = np.searchsorted(execs["pid"], pids, side="right") - 1
        at = np.flatnonzero((last >= 0) & (ran.astype(np.uint64) < age))  # else no exec of it was seen
        found = execs[last[at]]
        known = (found["pid"] == pids[at]) & (np.abs(ts[at] - ran[at] - found["ts"]) < _APART_NS) & (found["row"] >= 0)
        return at[known], found["row"][known]

    def renumber(self, to: Codes) -> None:
        """Give rows new numbers, as ``Cells.renumber`` does."""
        rows = self._execs["row"]
        self._execs["row"] = np.where(rows >= 0, to[rows], rows)
