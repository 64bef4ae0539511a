"""Time order across CPUs: perf buffers are drained one CPU after another, and no drain is instantaneous."""

from __future__ import annotations

import numpy as np

from ringtop.bpf.event.batch import Batch, concat, empty


class InOrder:
    """Events of one program, in the order of their time stamps over all drains.

    A drain has every event stamped more than a window (``WINDOW_MS``) before it began. Later events have arrived from
    some CPUs and not yet from others, so they are held until the next drain. An event that arrives after later-stamped
    ones were handed on is flagged ``late``, and handed on all the same.
    """

    def __init__(self, program: str) -> None:
        self._held = empty(program)
        self._newest_ns = 0
        """Latest time stamp that was handed on, in nanoseconds."""
        self.late = 0
        """Number of events that were late."""

    @property
    def holding(self) -> bool:
        """Whether events are held for the next drain."""
        return len(self._held) > 0

    def push(self, batch: Batch, before_ns: int) -> Batch:
        """The events of *batch*, and those held before, that are due: stamped before *before_ns*, or late. The rest is
        held."""
        whole = concat(batch.program, [self._held, batch])
        if not len(whole):
            return whole
        ts = whole.rows["ts"]
        if (ts[1:] < ts[:-1]).any():
            whole = whole.take(np.argsort(ts, kind="stable"))
            ts = whole.rows["ts"]
        late = int(ts.searchsorted(np.uint64(self._newest_ns)))
        if late:
            whole = whole.copy()
            whole.rows["late"][:late] = 1
            self.late += late
        due = max(int(ts.searchsorted(np.uint64(max(before_ns, 0)))), late)
        if due > late:
            self._newest_ns = int(ts[due - 1])
        self._held = whole.take(slice(due, None)).compact()
        return whole.take(slice(due))
