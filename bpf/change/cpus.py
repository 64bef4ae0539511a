"""CPU hotplug: every CPU that is online has its perf buffer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ringtop.bpf.change.ways import Ways
from ringtop.bpf.common.transports import TRANSPORTS
from ringtop.bpf.kernel.layout import COUNTERS
from ringtop.bpf.kernel.loaded import Loaded
from ringtop.bpf.stream import Level

_NO_READER = COUNTERS.index("no_reader")


class Cpus:
    """The CPUs that are *online* now and have their buffers. *tell* passes a message to the user."""

    def __init__(self, loaded: Loaded, ways: Ways, online: list[int], tell: Callable[[Level, str], None]) -> None:
        self.online = online
        self._loaded, self._ways, self._tell = loaded, ways, tell
        self._unread = np.zeros(ways.ledger.cpus, np.uint64)
        """Events that found no reader, by CPU, as counted when the buffers were last matched to the CPUs."""
        self._refused: list[int] = []
        """The online CPUs at the last failure to create a buffer, so that the user is warned once; empty after a
        success."""

    def follow(self, now: list[int]) -> None:
        """Create and close perf buffers to match the CPUs that are online *now*. Must not be called during a change.
        The kernel has shut down the buffers of CPUs that were off for a moment (as in a suspend): their events find no
        reader, so these buffers are replaced."""
        unread = self._loaded.counters().by[:, TRANSPORTS.index("perfbuf") :, _NO_READER].sum(1)  # copies too
        dead = set(np.flatnonzero(unread > self._unread).tolist()) & set(self.online)
        self._unread = unread
        try:
            for way in self._ways:
                self._ways.follow(way, now, self._loaded.map_fd(way.transport), dead)
        except OSError as e:  # the next call tries again
            if self._refused != now:  # warn once
                self._tell("warning", f"the events of a new CPU are lost, because it has no perf buffer: {e.strerror}")
            self._refused = now
            return
        self.online, self._refused = now, []
