"""Shadow mode: for a time a copy of each event goes over the transport that is not in use, and the two are compared."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from ringtop.bpf.change.background import Background
from ringtop.bpf.common import sizes
from ringtop.bpf.common.transports import NAMES, Transport
from ringtop.bpf.kernel.layout import COPIES, COUNTERS
from ringtop.bpf.kernel.loaded import Loaded
from ringtop.bpf.ledger.ledger import Ledger
from ringtop.bpf.ledger.period import Figures, figures
from ringtop.bpf.stream import Compared, Period
from ringtop.bpf.transport.reader import Reader

_EMITTED = COUNTERS.index("emitted")
_CLEARLY = 1.25
"""So many times the other's figure is a reason to choose."""
_CHEAP = 0.01
"""Share of a CPU below which nobody needs to save."""


class Comparison:
    """Copies go to *reader*, open but not installed, for *seconds*; *copy* tells the kernel where to, and None to
    end."""

    def __init__(
        self, loaded: Loaded, reader: Reader, cpus: int, seconds: float, copy: Callable[[Reader | None], None]
    ) -> None:
        self.reader = reader
        self.ledger = Ledger(cpus)
        self._loaded, self._seconds, self._copy = loaded, seconds, copy
        self._began: Figures | None = None
        self._copies: Figures | None = None
        self._emitted = self._until_ns = 0
        self._ending = False
        self._work = Background(lambda: reader.install(loaded.map_fd(reader.transport)))

    def step(self, used: Callable[[], Figures]) -> bool:
        """Go on with it; True when the last copy has been written: it can be drained now. *used* tells how the
        transport in use stands. Raises OSError when the copies cannot be."""
        if not self._work.done:
            return False
        self._work.result()
        if self._ending:
            return True
        if self._copies is None:
            self._began, self._copies = used(), self._figures()
            self._emitted = self._copied()
            self._copy(self.reader)
            self._until_ns = self._began.at_ns + int(self._seconds * 1e9)
        elif time.clock_gettime_ns(time.CLOCK_MONOTONIC) >= self._until_ns:
            self.end()
        return False

    @property
    def changing(self) -> bool:
        """It is just beginning, or ending."""
        return self._copies is None or self._ending

    def settle(self) -> bool:
        """Finish it now; False when it never began, and all is as before."""
        with suppress(OSError):
            self._work.result()
        if self._copies is None:
            with suppress(OSError):
                self.reader.uninstall(self._loaded.map_fd(self.reader.transport))
            return False
        if not self._ending:
            self.end()
            with suppress(OSError):  # told by the next step
                self._work.result()
        return True

    def end(self) -> None:
        """No more copies."""
        self._copy(None)
        self._ending = True
        self._work = Background(self._leave)

    def _leave(self) -> None:
        self._loaded.wait_for_runs()
        self.reader.uninstall(self._loaded.map_fd(self.reader.transport))

    def _figures(self) -> Figures:
        return figures(self.ledger.by[self.reader.transport], self._loaded.counters(), COPIES)

    def _copied(self) -> int:
        return int(self._loaded.counters().by[:, COPIES, _EMITTED].sum())

    def result(self, program: str, used: Reader, now: Figures, wakeup: str) -> Compared:
        """What came of it, after the last drain; *used* stands at *now*."""
        assert self._began is not None
        assert self._copies is not None
        mine = self._began.until(now, used, wakeup)
        other = self._copies.until(self._figures(), self.reader, wakeup)
        residual = self._copied() - self._emitted - other.received - other.dropped
        choose, why = advice(mine, other)
        return Compared(program, mine, other, residual, choose, why)


def advice(used: Period, other: Period) -> tuple[Transport, str]:
    """Which of the two to take, and why: what loses less, else what costs less, else what keeps order."""

    def better(a: float, b: float) -> Period | None:
        """The one with the clearly smaller figure: *a* is the used one's."""
        if max(a, b) <= _CLEARLY * min(a, b):
            return None
        return used if a < b else other

    def say(best: Period, what: str, figure: Callable[[Period], str]) -> tuple[Transport, str]:
        worse = other if best is used else used
        return best.transport, f"{what}: {figure(best)} against {figure(worse)} over the {NAMES[worse.transport]}"

    if not used.received + used.dropped:
        return used.transport, "there were no events to compare"
    if best := better(*(p.dropped / (p.received + p.dropped or 1) for p in (used, other))):
        return say(best, "it loses less", lambda p: f"{p.dropped:,} events")
    cost = [p.reader_ns / 1e9 / p.seconds for p in (used, other)]
    if max(cost) > _CHEAP and (best := better(*cost)):
        return say(best, "it costs less to read", lambda p: f"{p.reader_ns / 1e7 / p.seconds:.1f}% of a CPU")
    if best := better(*(p.inversions / (p.received or 1) for p in (used, other))):
        return say(best, "events arrive in order", lambda p: f"{p.inversions:,} out of order")
    if best := better(used.memory_bytes, other.memory_bytes):
        return say(best, "it takes less memory", lambda p: sizes.human(p.memory_bytes))
    return used.transport, "no clear difference: there is no reason to change"
