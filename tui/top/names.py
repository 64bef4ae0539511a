"""Names of processes; each is looked up once and cached."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.event.schema import UNKNOWN

Texts = NDArray[np.bytes_]
"""Names of processes, shape (n,), dtype S16."""

NOT_KNOWN, GONE = b"(unknown)", b"(gone)"
_SLOTS = 1 << 15
_LASTS_NS = 60_000_000_000
_LOOKUPS = 20
"""Most processes that are looked up for one batch; about ten batches come each second."""


class Host(Protocol):
    """Lookups on the machine that the events come from."""

    def comm(self, pid: int) -> bytes | None:
        """The name of a process; None when it is gone."""


class Comms:
    """The names of processes, from their execs or else from *host*. Ids are those of ``Events.processes``."""

    def __init__(self, host: Host | None) -> None:
        self._host = host
        self._pids = np.full(_SLOTS, UNKNOWN, np.uint64)
        self._comms = np.zeros(_SLOTS, "S16")
        self._since = np.zeros(_SLOTS, np.int64)

    def learn(self, pids: NDArray[np.uint64], comms: Texts, now_ns: int) -> None:
        """Store *comms* as the names of *pids* from *now_ns* on."""
        slots = _slots(pids)
        self._pids[slots], self._comms[slots], self._since[slots] = pids, comms, now_ns

    def of(self, pids: NDArray[np.uint64], now_ns: int) -> Texts:
        """The name of each process, NOT_KNOWN or GONE when there is none; shape (n,)."""
        slots = _slots(pids)
        known = self._pids[slots] == pids
        if self._host is not None:
            fresh = known & (self._since[slots] > now_ns - _LASTS_NS)
            if self._ask(np.unique(pids[~fresh & (pids != UNKNOWN)])[:_LOOKUPS], now_ns):
                known = self._pids[slots] == pids
        comms = self._comms[slots]
        comms[~known] = NOT_KNOWN
        return comms

    def _ask(self, pids: NDArray[np.uint64], now_ns: int) -> bool:
        if self._host is None or not len(pids):
            return False
        comms = [self._host.comm(pid) for pid in pids.tolist()]
        self.learn(pids, np.array([GONE if comm is None else comm for comm in comms], "S16"), now_ns)
        return True


def _slots(pids: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Where names are kept: equal ids of different hosts apart."""
    return (pids ^ pids >> np.uint64(32) << np.uint64(7)) % np.uint64(_SLOTS)
