"""The CPUs of the machine as they come and go: perf buffers have to follow."""

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
    """Those that are *online* now, and have their buffers; *tell* is for what a user should read."""

    def __init__(self, loaded: Loaded, ways: Ways, online: list[int], tell: Callable[[Level, str], None]) -> None:
        self.online = online
        self._loaded, self._ways, self._tell = loaded, ways, tell
        self._unread = np.zeros(ways.ledger.cpus, np.uint64)
        """Events, by CPU, that had found no reader when the buffers were last made for the CPUs."""
        self._refused: list[int] = []
        """CPUs that were on when one of them could not have its buffer."""

    def follow(self, now: list[int]) -> None:
        """Have perf buffers for the CPUs that are on *now*; not during a change. Those of CPUs that were off for a
        moment (as in a suspend) the kernel has shut down: their events find no reader."""
        unread = self._loaded.counters().by[:, TRANSPORTS.index("perfbuf") :, _NO_READER].sum(1)  # copies too
        dead = set(np.flatnonzero(unread > self._unread).tolist()) & set(self.online)
        self._unread = unread
        try:
            for way in self._ways:
                self._ways.follow(way, now, self._loaded.map_fd(way.transport), dead)
        except OSError as e:  # another try, next time
            if self._refused != now:  # told once
                self._tell("warning", f"a CPU that came has no perf buffer, and its events are lost: {e.strerror}")
            self._refused = now
            return
        self.online, self._refused = now, []
