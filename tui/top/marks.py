"""The marks of rows: failed, new, burst."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ringtop.tui.top.slots import SECOND
from ringtop.tui.top.standing import Standing

_NEW_NS = 60 * SECOND
_SETTLED_NS = 30 * SECOND
_BURST, _TIMES = 10, 4
FAILED, NEW, BURST = "!+^"
PINNED = 2
"""Most rows that stand above all others because they only fail."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Marks:
    """Which rows have which mark."""

    failed: Flags
    """Rows with a failure or a long wait in the last minute."""
    new: Flags
    """Rows first seen in the last minute, but not in the first 30 seconds, when every row is new."""
    burst: Flags
    """Rows with at least ten events in ten seconds, at a rate at least four times that of the last five minutes."""

    def of(self, row: int) -> str:
        """The marks of one row."""
        marks = ((FAILED, self.failed), (NEW, self.new), (BURST, self.burst))
        return "".join(mark for mark, rows in marks if rows[row])


def marks(standing: Standing) -> Marks:
    """The marks of all rows."""
    now_ns, first = standing.now_ns, standing.fold.table.about["first"][: standing.size]
    failed = standing.over("1min").of("failed") > 0
    now, before = standing.over("10s").happened, standing.over("5min").happened
    usual = before / standing.seconds("5min")
    return Marks(
        failed=failed | (standing.peaks_of_minute >= (standing.measures.long_ns or np.inf)),
        new=(first > now_ns - _NEW_NS) & (first > standing.start_ns + _SETTLED_NS),
        burst=(now >= _BURST) & (now / standing.seconds("10s") >= _TIMES * usual),
    )


def pinned(standing: Standing) -> list[int]:
    """Rows that only fail and failed in the last minute: the PINNED rows with most failures."""
    failed = np.where(standing.rows.done == 0, standing.over("1min").of("failed"), 0)
    rows = np.argsort(-failed, kind="stable")[:PINNED]
    return [row for row in rows.tolist() if failed[row]]
