"""The report on one program, or on all: the rows as they are shown, printed and exported.

Text is raw bytes that must be made safe where it is drawn; only the verdict is safe already. Times are of the kernel's
monotonic clock, in ns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ringtop.tui.top.keys import Key
from ringtop.tui.top.measures import Measures

SPARK = 12
"""Number of values of a sparkline; each covers five seconds, the newest is last."""
START = "start"
"""The window that holds everything since the start."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the whole, between *low* and *high*, which are equal when nothing was lost. How long lost events
    waited is unknown: a share of time waited is then of the received events only, and not *sure*."""

    low: float
    high: float
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """The values of one key. Counts cover the report's window; other values cover the time since the start unless
    noted."""

    id: int
    """The id of the row, the same for as long as the key has a row."""
    key: tuple[bytes, ...]
    """The labels of the key's parts."""
    done: tuple[int, ...]
    """Events that neither failed nor were searched; across all programs, one number for each program."""
    failed: int
    searched: int
    """Tries along PATH for a file that was found in the end, or may still be found."""
    lookups: int
    """Searches along PATH that found nothing; their tries count as failed."""
    error: int
    """Upper bound on the events that this row lacks; 0 when its counts are exact."""
    rate: float
    """Events a second in the last ten seconds, without searched tries."""
    share: Share | None
    """Share of all events without searched tries; of waits, share of all time waited. None for rows only of tries."""
    total_ns: int
    """Total time waited."""
    max_ns: int
    p50_ns: int
    p99_ns: int
    """Median and 99th percentile of the waits (± 6 %). In a window, they cover whole slots of ten seconds."""
    ran_ns: int
    """Total time that processes ran which have ended."""
    ran_p50_ns: int
    """The median of it, with the accuracy and the windows of ``p50_ns``."""
    preempted: int
    """Waits of tasks that were preempted, not woken."""
    after: bytes
    """The thread that most often had the CPU before."""
    after_share: float
    because: bytes
    """Who most often used the CPU during the wait, or what else took most of it (bpf/event/culprit.py)."""
    because_share: float
    errno: bytes
    """The commonest error of the failed events; empty when none failed."""
    parent: bytes
    """The commonest parent."""
    pid: int
    """Process of the newest event."""
    host: int
    """Its host, by the number in rows."""
    pids: int
    """Estimated number of processes; 1 is exact."""
    uid: int
    """User of the newest event."""
    first_ns: int
    last_ns: int
    spark: tuple[int, ...]
    """Events in the last minute."""
    marks: str
    """The marks that hold: ``!`` (failed or waited for long in the last minute), ``+`` (new), ``^`` (a burst)."""
    cut: bool
    """Whether arguments or the path of any of its events were cut, where the key is made from these."""

    @property
    def count(self) -> int:
        """All events that neither failed nor were searched."""
        return sum(self.done)

    @property
    def sign(self) -> str:
        """The mark that stands before the row: the first of ``marks``, or ``~`` when anything was cut."""
        return self.marks[:1] or ("~" if self.cut else "")

    @property
    def events(self) -> int:
        """All events."""
        return self.count + self.failed + self.searched


@dataclass(frozen=True, slots=True)
class Others:
    """The events that are in no row of the report."""

    events: int
    keys: int
    """Number of keys; an estimate (± 2 %) when rows were evicted."""
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
    """Events of all rows and others, which is as many as were received."""
    lost: int
    """Events reported lost in the window."""
    kept_out: int
    """Events that the capture filter kept out, since the start."""
    exact: bool
    """Whether no count can be too low."""
    keys: int
    rate: float
    spark: tuple[int, ...]
    quiet_ns: int
    """Time since the newest event."""
    verdict: tuple[str, ...]
    order: NDArray[np.uint64]
    """The ids of all rows in ranked order."""
    rows: tuple[Row, ...]
    others: Others
