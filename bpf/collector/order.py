"""Time order across CPUs: perf buffers hand over one CPU after another, and no buffer is drained in an instant."""

from __future__ import annotations

import numpy as np

from ringtop.bpf.event.batch import Batch, concat, empty


class InOrder:
    """Events of one program, in the order of their time stamps over all drains.

    A drain has every event stamped more than a window (``WINDOW_MS``) before it began; of later ones it has some CPUs'
    and not yet others'. Those wait for the next drain. What comes after later-stamped events were handed on is flagged
    ``late``, and handed on all the same.
    """

    def __init__(self, program: str) -> None:
        self._held = empty(program)
        self._newest_ns = 0
        """Latest time stamp handed on."""
        self.late = 0
        """Events that were."""

    @property
    def holding(self) -> bool:
        """Something waits for the next drain."""
        return len(self._held) > 0

    def push(self, batch: Batch, before_ns: int) -> Batch:
        """What is due, being stamped before *before_ns*, of *batch* and of what was held; the rest is held."""
        whole = concat(batch.program, [self._held, batch])
        if not len(whole):
            return whole
        ts = whole.rows["ts"]
        if (ts[1:] < ts[:-1]).any():
            whole = whole.take(np.argsort(ts, kind="stable"))
            ts = whole.rows["ts"]
        late = int(ts.searchsorted(np.uint64(self._newest_ns)))
        if late:
            whole = Batch(whole.program, whole.rows.copy(), whole.tails)
            whole.rows["late"][:late] = 1
            self.late += late
        due = max(int(ts.searchsorted(np.uint64(max(before_ns, 0)))), late)
        if due > late:
            self._newest_ns = int(ts[due - 1])
        self._held = whole.take(slice(due, None)).compact()
        return whole.take(slice(due))
