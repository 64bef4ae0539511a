"""Copies of events over the other transport: all are accounted for, and none is shown; and what is advised then."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ringtop.bpf.change import comparison
from ringtop.bpf.change.comparison import advice
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.transports import Transport
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.bpf.stream import Compared, Notice, Period, Retune
from tests.bpf.made_up import Clock, MadeUp, tracer

EVER = 1 << 62
PRIME = 23


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time as a comparison sees it."""
    clock = Clock()
    monkeypatch.setattr(comparison, "now_ns", clock.now_ns)
    return clock


class Run:
    """A tracer over a made-up kernel."""

    def __init__(self, transport: Transport = "ringbuf", buffer: int = 0, silent: bool = False) -> None:
        self.kernel = MadeUp(silent=silent)
        self.tracer = tracer(self.kernel, transport, CollectorOptions(buffer=buffer))
        self.tracer.attach()
        self.shown = 0

    def drain(self) -> None:
        self.shown += len(self.tracer.drain(EVER).batch)

    def until(self, changing: bool) -> None:
        """Let the kernel answer until the comparison is in a change, or is not."""
        while self.tracer.changes.changing != changing:
            self.kernel.gate.let_one()
            self.drain()

    def told(self) -> Compared | Notice:
        """The one message of news."""
        (told,) = self.tracer.changes.news
        self.tracer.changes.news.clear()
        assert isinstance(told, Compared | Notice)
        return told

    def close(self) -> None:
        self.kernel.gate.unlock()
        self.tracer.stop()
        self.drain()
        self.tracer.close()
        assert self.shown == len(self.kernel.fates)
        assert all(reader.closed for reader in self.kernel.readers)


@pytest.mark.parametrize("transport", ["ringbuf", "perfbuf"])
def test_each_event_goes_both_ways_and_is_shown_once(clock: Clock, transport: Transport) -> None:
    run = Run(transport)
    run.kernel.events(0, PRIME)
    run.drain()
    for _ in range(2):  # what was copied before does not count again
        run.tracer.changes.compare(5)
        assert run.tracer.state.comparing
        run.until(changing=False)
        run.kernel.events(0, PRIME)
        run.kernel.events(1, PRIME)
        clock.ahead_ns += 6 * 10**9
        run.until(changing=True)
        run.kernel.events(0, PRIME)  # too late to be copied
        run.until(changing=False)
        compared = run.told()
        assert isinstance(compared, Compared)
        assert compared.used.transport == transport != compared.other.transport
        assert compared.other.received == 2 * PRIME
        assert compared.used.received == 3 * PRIME
        assert compared.residual == compared.other.dropped == 0
        assert not run.tracer.state.comparing
    run.close()


def test_copies_that_find_no_room_are_dropped_and_counted(clock: Clock) -> None:
    run = Run(buffer=16 << 10)  # 16 events; and 4 for each CPU's perf buffer
    run.tracer.changes.retune(Retune("perfbuf", buffer_bytes=4096))
    run.until(changing=False)
    run.tracer.changes.news.clear()
    run.tracer.changes.retune(Retune("ringbuf"))
    run.until(changing=False)
    run.tracer.changes.news.clear()
    run.tracer.changes.compare(5)
    run.until(changing=False)
    run.kernel.events(0, 10)
    clock.ahead_ns += 6 * 10**9
    run.until(changing=True)
    run.until(changing=False)
    compared = run.told()
    assert isinstance(compared, Compared)
    assert (compared.other.received, compared.other.dropped, compared.residual) == (4, 6, 0)
    assert (compared.used.received, compared.used.dropped) == (10, 0)
    assert compared.choose == "ringbuf"
    assert compared.why == "it loses less: 0 events against 6 events over the perf buffers"
    run.close()


def test_a_copy_that_is_being_written_is_waited_for(clock: Clock) -> None:
    run = Run()
    run.tracer.changes.compare(5)
    run.until(changing=False)
    while len(run.kernel.copies) == 0 or not run.kernel.maps["perfbuf"][0].records:
        run.kernel.step(0)
    clock.ahead_ns += 6 * 10**9
    run.until(changing=True)
    run.until(changing=False)
    compared = run.told()
    assert isinstance(compared, Compared)
    assert (compared.other.received, compared.residual) == (1, 0)
    run.close()


def test_the_capture_filter_may_change_meanwhile(clock: Clock) -> None:
    run = Run()
    run.tracer.changes.compare(5)
    run.until(changing=False)
    run.tracer.set_capture("pid=1")
    assert run.kernel.config is not None
    assert run.kernel.config.copy, "the comparison goes on"
    assert run.kernel.config.capture.active
    run.close()
    assert not run.kernel.config.copy
    assert run.kernel.config.capture.active


@pytest.mark.parametrize("refused", ["install", "wait"])
def test_what_the_kernel_refuses_is_told(clock: Clock, refused: str) -> None:
    run = Run()
    before = run.tracer.state
    run.kernel.refuse[refused] = 1
    run.tracer.changes.compare(5)
    while run.tracer.changes.comparing:
        run.kernel.events(0)
        clock.ahead_ns += 10**9
        run.kernel.gate.let_one()
        run.drain()
    told = run.told()
    assert isinstance(told, Notice)
    assert told.text == "the transports could not be compared: Cannot allocate memory"
    assert run.tracer.state == before
    run.close()


def test_what_cannot_be_compared(clock: Clock) -> None:
    run = Run("perfbuf", silent=True)
    for seconds in (0, -1, 3601, float("nan")):
        with pytest.raises(ValueError, match="more than 0 and at most 3600 seconds"):
            run.tracer.changes.compare(seconds)
    with pytest.raises(CannotTrace, match="this kernel has no BPF ring buffer"):
        run.tracer.changes.compare(5)
    assert not run.tracer.changes.comparing
    run.close()


def test_nothing_else_changes_meanwhile(clock: Clock) -> None:
    run = Run()
    run.tracer.changes.compare(5)
    run.until(changing=False)
    with pytest.raises(ValueError, match="being compared already"):
        run.tracer.changes.compare(5)
    with pytest.raises(ValueError, match="nothing can be changed while"):
        run.tracer.changes.retune(Retune("other"))
    run.close()


@pytest.mark.parametrize("calls", range(4))
def test_the_end_comes_before_its_own(clock: Clock, calls: int) -> None:
    """Before the copies began, nothing is told; afterwards, what there was."""
    run = Run()
    run.tracer.changes.compare(5)
    for _ in range(calls):
        run.kernel.gate.let_one()
        run.drain()
    run.kernel.events(0, PRIME)
    copied = len(run.kernel.copies)
    run.close()
    if copied:
        compared = run.told()
        assert isinstance(compared, Compared)
        assert (compared.other.received, compared.residual) == (PRIME, 0)
    else:
        assert run.tracer.changes.news == []
    assert copied == (PRIME if calls >= 2 else 0)


@dataclass(frozen=True)
class Was:
    """How one of the two did, in ten seconds."""

    dropped: int = 0
    reader_ms: float = 10
    inversions: int = 0
    memory: int = 1 << 20

    def period(self, transport: Transport, received: int = 1000) -> Period:
        return Period(
            transport=transport,
            buffer_bytes=self.memory,
            wakeup="timer",
            memory_bytes=self.memory,
            seconds=10,
            received=received,
            dropped=self.dropped,
            inversions=self.inversions,
            wakeups=0,
            reader_ns=int(self.reader_ms * 1e6),
            latency_us=[],
        )


@pytest.mark.parametrize(
    ("used", "other", "chosen", "why"),
    [
        (Was(dropped=9), Was(), "perfbuf", "it loses less: 0 events against 9 events over the ring buffer"),
        (Was(dropped=9, reader_ms=100), Was(dropped=90), "ringbuf", "it loses less: 9 events against 90"),
        (Was(dropped=10, memory=4096), Was(dropped=9), "ringbuf", "it takes less memory: 4K against 1M"),
        (Was(reader_ms=500), Was(reader_ms=200), "perfbuf", "it costs less to read: 2.0% of a CPU against 5.0%"),
        (Was(reader_ms=99), Was(reader_ms=9), "ringbuf", "no clear difference"),
        (Was(inversions=3), Was(), "perfbuf", "events arrive in order: 0 out of order against 3 out of order"),
        (Was(), Was(memory=1 << 19), "perfbuf", "it takes less memory: 512K against 1M over the ring buffer"),
        (Was(), Was(memory=(1 << 20) - 4096), "ringbuf", "no clear difference"),
    ],
)
def test_advice(used: Was, other: Was, chosen: str, why: str) -> None:
    """Losses weigh most, then cost, then order, then memory; what is nearly alike weighs nothing."""
    choose, because = advice(used.period("ringbuf"), other.period("perfbuf"))
    assert choose == chosen
    assert because.startswith(why)


def test_no_advice_without_events() -> None:
    choose, why = advice(Was().period("ringbuf", 0), Was(dropped=5).period("perfbuf", 0))
    assert (choose, why) == ("ringbuf", "there were no events to compare")
