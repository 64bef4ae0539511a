"""Shadow mode: for a time a copy of each event goes over the transport that is not in use, and the two are compared."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from ringtop.bpf.change.background import Background
from ringtop.bpf.change.ways import Way
from ringtop.bpf.common import sizes
from ringtop.bpf.common.clock import now_ns
from ringtop.bpf.common.transports import NAMES, Transport
from ringtop.bpf.event.batch import Rows
from ringtop.bpf.kernel.layout import COPIES, COUNTERS, Counters
from ringtop.bpf.kernel.loaded import Loaded
from ringtop.bpf.ledger.period import Figures
from ringtop.bpf.stream import Compared, Period
from ringtop.bpf.transport.reader import Reader

_EMITTED = COUNTERS.index("emitted")
_CLEARLY = 1.25
"""How many times as large as the other a figure must be for that to be a reason to choose."""
_CHEAP = 0.01
"""Share of a CPU up to which the cost of reading is no reason to choose."""


class Comparison:
    """Sends copies of the events of *used* to *new* for *seconds*. *new* is open but not installed. *copy* makes the
    kernel send copies to a reader; None ends them."""

    def __init__(
        self, loaded: Loaded, used: Way, new: Way, seconds: float, copy: Callable[[Reader | None], None]
    ) -> None:
        self.new = new
        self._loaded, self._used, self._seconds, self._copy = loaded, used, seconds, copy
        self._began: Figures | None = None
        """The figures of *used* when the copies began; None until then."""
        self._emitted = self._until_ns = 0
        self._ending = False
        self._work = Background(self._enter)

    def _enter(self) -> None:
        try:
            self.new.reader.install(self._loaded.map_fd(self.new.transport))
        except OSError:
            self._uninstall()
            raise

    def _leave(self) -> None:
        self._loaded.wait_for_runs()
        self._uninstall()

    def _uninstall(self) -> None:
        with suppress(OSError):  # harmless: no event goes there any more
            self.new.reader.uninstall(self._loaded.map_fd(self.new.transport))

    @property
    def changing(self) -> bool:
        """Whether the comparison is just beginning, or ending."""
        return self._began is None or self._ending

    def saw(self, way: Way, rows: Rows) -> None:
        """Does nothing: the events that are shown do not concern a comparison."""

    def step(self) -> bool:
        """Advance the comparison. Returns whether the last copy has been written, so that one more drain brings them
        all, or whether it failed."""
        if not self._work.done:
            return False
        if self._ending or self._work.failed:
            return True
        if self._began is None:
            counters = self._loaded.counters()
            self._began = self._used.figures(counters)
            self.new.begin(counters)
            self._emitted = _copied(counters)
            self._copy(self.new.reader)
            self._until_ns = self._began.at_ns + int(self._seconds * 1e9)
        elif now_ns() >= self._until_ns:
            self._end()
        return False

    def _end(self) -> None:
        self._copy(None)
        self._ending = True
        self._work = Background(self._leave)

    def settle(self) -> bool:
        """Finish the comparison now. Returns False when it never began, and then everything is as before."""
        with suppress(OSError):  # ``result`` raises it
            self._work.result()
            if self._began is None:
                self._uninstall()
                return False
            if not self._ending:
                self._end()
                self._work.result()
        return self._began is not None

    def result(self, counters: Counters) -> Compared:
        """The outcome, after the last drain. Raises OSError when the copies could not be made."""
        self._work.result()
        assert self._began is not None
        mine, other = self._used.period(counters, self._began), self.new.period(counters)
        residual = _copied(counters) - self._emitted - other.received - other.dropped
        return Compared(self._loaded.program, mine, other, residual, *advice(mine, other))


def _copied(counters: Counters) -> int:
    return int(counters.by[:, COPIES, _EMITTED].sum())


def advice(used: Period, other: Period) -> tuple[Transport, str]:
    """Which of the two transports to use, and why: the one that loses less, else the one that costs less to read, else
    the one that keeps order, else the one that takes less memory."""

    def better(a: float, b: float) -> Period | None:
        """The period whose figure is clearly smaller, or None. *a* is the figure of *used*, *b* that of *other*."""
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
