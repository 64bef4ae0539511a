"""Whatever is changed, in whatever order, while events happen: every event is received once or counted as dropped."""

from __future__ import annotations

from collections import Counter
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.transports import TRANSPORTS, Transport
from ringtop.bpf.ledger.audit import Audit
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.bpf.stream import Changed, Compared, Notice, ProgramStats, Retune
from tests.bpf.made_up import Clock, MadeUp, tracer

CPUS = 3
EVER = 1 << 62
A_CPU = st.integers(0, CPUS - 1)
SIZES = st.sampled_from([4096, 8192, 16384])
REFUSALS = st.sampled_from(["", "", "", "open", "install", "wait", "wait", "uninstall"])
WAKEUPS = st.sampled_from(["timer", "adaptive", "every", "batch:3"])


class Changing(RuleBasedStateMachine):
    """A tracer over a made-up kernel. Events, drains, changes, the kernel's answers and CPUs interleave as they may."""

    def __init__(self) -> None:
        super().__init__()
        self.received: Counter[tuple[int, int]] = Counter()
        self.clock = Clock()
        self._patched = patch("ringtop.bpf.change.comparison.now_ns", self.clock.now_ns)
        self._patched.start()
        self.failures = self.refused = 0
        self.steady = True
        """The CPUs have stayed, and the kernel refused nothing."""
        self.told: list[Changed | Compared | Notice] = []

    @initialize(transport=st.sampled_from(TRANSPORTS), size=SIZES, wakeup=WAKEUPS, silent=st.booleans())
    def begin(self, transport: Transport, size: int, wakeup: str, silent: bool) -> None:
        self.kernel = MadeUp(CPUS, silent)
        first: Transport = "perfbuf" if silent else transport
        self.tracer = tracer(self.kernel, first, CollectorOptions(buffer=size, wakeup=wakeup))
        self.tracer.attach()
        self.expected = self.setting

    @property
    def setting(self) -> tuple[str, int, str]:
        """As the state tells it."""
        state = self.tracer.state
        return state.transport, state.buffer_bytes, state.wakeup

    # What happens by itself

    @rule(cpu=A_CPU, count=st.integers(1, 6))
    def events(self, cpu: int, count: int) -> None:
        self.kernel.events(cpu, count)

    @rule(cpu=A_CPU)
    def part_of_an_event(self, cpu: int) -> None:
        self.kernel.step(cpu)

    @precondition(lambda self: self.tracer.changes.changing)
    @rule(steps=st.lists(st.tuples(A_CPU, st.integers(0, 5), st.booleans()), min_size=1, max_size=10))
    def a_change_goes_on(self, steps: list[tuple[int, int, bool]]) -> None:
        """The kernel answers while events are on their way, and some are read."""
        for cpu, parts, drained in steps:
            for _ in range(parts):
                self.kernel.step(cpu)
            self.kernel.gate.let_one()
            if drained:
                self.drain(audit=True, meanwhile=[cpu])

    @rule(cpu=A_CPU)
    def a_cpu_goes_or_comes(self, cpu: int) -> None:
        self.steady = False
        if cpu not in self.kernel.online:
            self.kernel.online.add(cpu)
        elif len(self.kernel.online) > 1:
            self.kernel.switch_off(cpu)

    # What the collector does

    @rule(audit=st.booleans(), meanwhile=st.lists(A_CPU, max_size=3))
    def drain(self, audit: bool, meanwhile: list[int]) -> None:
        self.clock.ahead_ns += 10_000_000_000
        self.kernel.meanwhile = meanwhile
        batch, audited = self.tracer.drain(EVER, audit)
        self.kernel.meanwhile = []
        rows = batch.rows
        self.received.update(zip(rows["cpu"].tolist(), rows["seq"].tolist(), strict=True))
        self.hear()
        assert (audited is not None) == audit
        if audited is not None:
            self.check(audited)

    def hear(self) -> None:
        """Take the news, and hold them against what was asked."""
        for message in self.tracer.changes.news:
            self.told.append(message)
            match message:
                case Changed():
                    self.expected = message.transport, message.buffer_bytes, message.wakeup
                    for _, last, first in message.cpus:
                        assert first == -1 or last < first, "the new one's events come after the old one's"
                case Compared():
                    assert message.residual == 0
                case Notice("error"):
                    self.failures += 1
        self.tracer.changes.news.clear()

    def check(self, audit: Audit) -> None:
        """The stats against what really became of each event, as of the moment when the counters were read."""
        parts = self.tracer.stats(audit)
        known = self.kernel.read_fates
        assert parts[-1].transport == self.tracer.state.transport
        for part in parts:
            for c in part.cpus:
                mine = {k: f for k, f in known.items() if k[0] == c.cpu and f.transport == part.transport}
                dropped = sum(bool(f.dropped) for f in mine.values())
                assert (c.emitted, c.received) == (len(mine), sum(self.received[k] for k in mine))
                if self.kernel.silent and audit.counters.at_rest is False:
                    assert sum(c.dropped.values()) <= dropped <= c.emitted - c.received
                else:
                    assert sum(c.dropped.values()) == dropped
        self.check_gaps(parts)

    def check_gaps(self, parts: list[ProgramStats]) -> None:
        for c in parts[-1].cpus:
            numbers = [k[1] for k in self.received if k[0] == c.cpu]
            until = max([*numbers, *(k[1] for k in self.kernel.read_fates if k[0] == c.cpu)], default=-1) + 1
            assert c.gaps == until - len(numbers)

    @rule()
    def a_second_passes(self) -> None:
        """Perf buffers follow the CPUs, if only by the events that found no reader."""
        for cpu in self.kernel.online:
            self.kernel.events(cpu)
        for part in self.tracer.stats():
            for c in part.cpus:
                assert c.received <= c.emitted
        refused = self.kernel.refuse["install"]
        self.tracer.follow_cpus(sorted(self.kernel.online))
        self.hear()
        told = not self.tracer.changes.capture.compiled.active  # else no event was lost, and all is well
        if told and not self.tracer.changes.changing and self.kernel.refuse["install"] == refused:
            for way in self.tracer.ways:
                if way.transport == "perfbuf":
                    buffers = self.kernel.maps["perfbuf"]
                    assert not any(buffers[cpu].dead for cpu in self.kernel.online)

    def let_it_refuse(self, what: str) -> None:
        """The kernel will refuse one such call."""
        self.kernel.refuse.clear()
        if what:
            self.kernel.refuse[what] += 1
            self.refused += 1
            self.steady = False

    # What a user does

    @precondition(lambda self: not self.tracer.changes.changing)
    @rule(refuse=REFUSALS)
    def switch(self, refuse: str) -> None:
        self.retune("other", 0, "", refuse)

    @precondition(lambda self: not self.tracer.changes.changing)
    @rule(
        transport=st.sampled_from(["", "ringbuf", "perfbuf"]),
        size=st.just(0) | SIZES,
        wakeup=st.just("") | WAKEUPS,
        refuse=REFUSALS,
    )
    def retune(self, transport: str, size: int, wakeup: str, refuse: str) -> None:
        before = self.setting
        self.let_it_refuse(refuse)
        try:
            begun = self.tracer.changes.retune(Retune(transport, size, wakeup))  # type: ignore[arg-type]
        except (ValueError, CannotTrace):
            begun = False
        assert self.tracer.changes.changing == begun
        assert self.setting == before, "until it is done"

    @precondition(lambda self: not self.tracer.changes.changing)
    @rule(seconds=st.sampled_from([5.0, 100.0]), refuse=REFUSALS)
    def compare(self, seconds: float, refuse: str) -> None:
        before = self.setting
        self.let_it_refuse(refuse)
        try:
            self.tracer.changes.compare(seconds)
        except (ValueError, CannotTrace):
            pass
        else:
            assert self.tracer.changes.changing
            assert self.tracer.state.comparing
        assert self.setting == before

    @precondition(lambda self: not self.tracer.changes.changing)
    @rule(text=st.sampled_from(["", "pid=1"]))
    def capture(self, text: str) -> None:
        self.tracer.set_capture(text)
        assert self.tracer.state.capture == text

    # What always holds

    @invariant()
    def no_event_came_twice_or_from_nowhere(self) -> None:
        assert set(self.received.values()) <= {1}
        assert self.received.keys() <= self.kernel.fates.keys()

    @invariant()
    def the_setting_is_what_was_granted_last(self) -> None:
        assert self.setting == self.expected

    @invariant()
    def the_kernel_goes_by_the_filter_that_is_told(self) -> None:
        assert self.kernel.config is not None
        assert self.kernel.config.capture == self.tracer.changes.capture.compiled

    @invariant()
    def copies_are_made_while_transports_are_compared(self) -> None:
        assert self.kernel.config is not None
        changes = self.tracer.changes
        assert self.kernel.config.copy == (changes.comparing and not changes.changing)

    @invariant()
    def a_change_alone_drops_nothing(self) -> None:
        """But for want of room."""
        if self.steady:
            fates = [*self.kernel.fates.values(), *self.kernel.copies.values()]
            assert {fate.dropped for fate in fates} <= {"", "full"}

    @invariant()
    def at_most_two_ways_are_open(self) -> None:
        assert sum(not reader.closed for reader in self.kernel.readers) == len(list(self.tracer.ways)) <= 2

    def teardown(self) -> None:
        try:
            if hasattr(self, "tracer"):
                self.end()
        finally:
            self._patched.stop()

    def end(self) -> None:
        """Stop, wherever it is: then the books are closed, and every event is in them."""
        self.kernel.gate.unlock()
        self.tracer.stop()
        self.drain(audit=True, meanwhile=[])
        assert not self.tracer.changes.changing
        lost = {key for key, fate in self.kernel.fates.items() if fate.dropped}
        assert self.kernel.fates.keys() == self.received.keys() | lost
        assert not self.received.keys() & lost
        assert self.failures <= self.refused, self.told
        assert not self.kernel.config.copy  # type: ignore[union-attr]
        self.tracer.close()
        assert all(reader.closed for reader in self.kernel.readers)
        assert self.kernel.closed


Changing.TestCase.settings = settings(stateful_step_count=50, deadline=None)
test_any_sequence = Changing.TestCase
