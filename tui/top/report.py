"""What a top tells of one program, or of all: its rows as they are shown, printed and exported.

Text is raw bytes, to be made safe where it is drawn, but for the verdict, which is safe. Times are of the kernel's
monotonic clock, in ns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ringtop.tui.top.keys import Key
from ringtop.tui.top.measures import Measures

SPARK = 12
"""Values of a sparkline: five seconds each, the newest last."""
START = "start"
"""The window that has all."""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the whole: from *low* to *high*, which are one where nothing was lost. Of the time that lost events
    waited nothing can be said: then it is a part of what was received, and not *sure*."""

    low: float
    high: float
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one key. Counts are of the report's window; what else is not said to be otherwise, since the
    start."""

    id: int
    """The same for as long as the key has a row."""
    key: tuple[bytes, ...]
    """What its parts are called."""
    done: tuple[int, ...]
    """Events that were neither failed nor searched; across all programs, one number for each of them."""
    failed: int
    searched: int
    """Tries along PATH of what was found in the end, or may be yet."""
    lookups: int
    """Searches along PATH that found nothing; their tries are failed."""
    error: int
    """The true number of events is at most so many more than is told here: 0 where it is exact."""
    rate: float
    """Events a second, searched ones aside, in the last ten seconds."""
    share: Share | None
    """Of all events, searched ones aside; of waits: of all time waited. None for what was only searched."""
    total_ns: int
    """Time waited."""
    max_ns: int
    p50_ns: int
    p99_ns: int
    """Half of the waits, and 99 %, did not exceed these (± 6 %). Of a window: in whole slots of ten seconds."""
    preempted: int
    """Waits of tasks that had been preempted, not woken."""
    after: bytes
    """Who had the CPU before most waits."""
    after_share: float
    errno: bytes
    """The commonest error of what failed; empty where nothing did."""
    parent: bytes
    """The commonest parent."""
    pid: int
    """Process of the newest event."""
    pids: int
    """About how many processes; 1 is exact."""
    uid: int
    """User of the newest event."""
    first_ns: int
    last_ns: int
    spark: tuple[int, ...]
    """Events in the last minute."""
    marks: str
    """Of ``!`` (failed, or waited for long, in the last minute), ``+`` (new), ``^`` (a burst), those that hold."""
    cut: bool
    """Arguments, or the path, of one of its events were cut."""

    @property
    def count(self) -> int:
        """All done."""
        return sum(self.done)

    @property
    def events(self) -> int:
        """All events."""
        return self.count + self.failed + self.searched


@dataclass(frozen=True, slots=True)
class Others:
    """What is in no row of the report."""

    events: int
    keys: int
    """How many; about, where some have no row any more (± 2 %)."""
    done: tuple[int, ...]
    failed: int
    searched: int
    total_ns: int


@dataclass(frozen=True, slots=True)
class Report:
    """The events of one program, or of all, in a window."""

    program: str
    key: Key
    measures: Measures
    window: str
    since_ns: int
    until_ns: int
    events: int
    """Of all rows and others: as many as were received."""
    lost: int
    """Found lost in the window."""
    kept_out: int
    """By the capture filter, since the start."""
    exact: bool
    """No count can be too low."""
    keys: int
    rate: float
    spark: tuple[int, ...]
    quiet_ns: int
    """So long there has been no event."""
    verdict: tuple[str, ...]
    order: NDArray[np.uint64]
    """The ids of all rows, as they are ranked."""
    rows: tuple[Row, ...]
    others: Others
