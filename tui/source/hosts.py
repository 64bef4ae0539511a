"""Several hosts: which of them a row is of, when it was by one clock, and how far their clocks are apart."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

import numpy as np
from msgspec import structs

from ringtop.bpf import stream
from ringtop.bpf.event.batch import Batch
from ringtop.tui.source.inbox import Arrived, Entry
from ringtop.tui.source.source import Item, Source

OFFSET_NS = time.time_ns() - time.monotonic_ns()
"""Our wall clock minus our monotonic clock, which stays as it is now: rows of all hosts get their times by it."""
FAR_NS = 60_000_000_000
"""Rows have their host's own time up to this difference. One that is an hour ahead would move the events of all others
out of the last minute."""
APART_NS = 1_000_000_000
"""Clocks that are further apart are worth a warning."""
_NEWEST = 64
"""Messages whose delay is compared."""


class Place:
    """The place of one host among several: its number, and what is known of its clocks.

    Make it when the host's source is started, and have it hear the messages as they come, each before its rows are
    stamped. *clock* and *wall* give our monotonic and our wall-clock time in ns.
    """

    def __init__(
        self, number: int, clock: Callable[[], int] = time.monotonic_ns, wall: Callable[[], int] = time.time_ns
    ) -> None:
        self.number = number
        """From 1: 0 stands in the rows of a machine that is read alone."""
        self._clock, self._wall = clock, wall
        self._began_ns = clock()
        self._offset_ns = 0
        self._shift_ns: int | None = None
        self._apart: deque[int] = deque(maxlen=_NEWEST)
        self.error_ns = 0
        """The largest possible error of ``apart_ns``, ns. It is the time in which the connection started: that took
        several messages in each direction, and one message takes less. 0 until ``Hello``."""

    @property
    def apart_ns(self) -> int | None:
        """How far the host's wall clock is ahead of ours, ns, as told by the message that was the fastest of late; None
        while that is not known."""
        return max(self._apart, default=None)

    def hear(self, item: Item | Arrived) -> None:
        """Take what a message tells of the host's clocks."""
        match item:
            case stream.Hello():
                took = self._clock() - self._began_ns
                self.error_ns = min(took, self.error_ns or took)
                self._offset_ns, self._shift_ns = item.wall_offset_ns, None
                self._apart.clear()
            case stream.Stats():
                self._offset_ns = item.wall_offset_ns
                self._compare(item.ts_ns)
            case stream.Round() | Arrived():
                self._compare(item.drained_ns)

    def ours(self, item: Entry) -> Entry:
        """*item* with its times by our clock, and its rows as ``stamp`` returns them."""
        match item:
            case Arrived():
                return Arrived(tuple(map(self.stamp, item.batches)), self.ns(item.drained_ns))
            case stream.Hello():
                return structs.replace(item, wall_offset_ns=OFFSET_NS)
            case stream.Stats():
                return structs.replace(item, ts_ns=self.ns(item.ts_ns), wall_offset_ns=OFFSET_NS)
            case stream.Changed():
                return structs.replace(item, ts_ns=self.ns(item.ts_ns))
        return item

    def ns(self, ts: int) -> int:
        """The time *ts* of the host's monotonic clock by ours, as in the rows that ``stamp`` returns."""
        first, last = self._within()
        return max(first, min(ts + (self._shift_ns or 0), last))

    def stamp(self, batch: Batch) -> Batch:
        """The same events with our number and times. With ``OFFSET_NS`` these are wall-clock times: the host's own, or
        ours where its clock is more than FAR_NS off. No time is far before the start or after now, whatever the host
        says."""
        rows = batch.copy().rows
        shift = np.uint64((self._shift_ns or 0) % (1 << 64))
        rows["host"] = self.number
        rows["start_ns"] += np.where(rows["start_ns"] == 0, np.uint64(0), shift)
        first, last = map(np.uint64, self._within())
        rows["ts"] = np.clip(rows["ts"] + shift, first, last)
        return Batch(batch.program, rows, batch.tails, batch.names)

    def _within(self) -> tuple[int, int]:
        return max(0, self._began_ns - FAR_NS), self._clock() + FAR_NS

    def _compare(self, ts: int) -> None:
        apart = ts + self._offset_ns - self._wall()
        self._apart.append(apart)
        if self._shift_ns is None:
            self._shift_ns = self._clock() - ts if abs(apart) > FAR_NS else self._offset_ns - OFFSET_NS


def stop(sources: Iterable[Source]) -> None:
    """Stop all *sources* at the same time: each may take seconds."""
    threads = [threading.Thread(target=source.stop) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
