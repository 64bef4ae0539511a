"""Losses that the kernel does not report, found by what is missing: against a made-up kernel that knows them."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import RUNQSLOWER
from ringtop.bpf.kernel.layout import COUNTERS, Counters
from ringtop.bpf.ledger.audit import Audit
from ringtop.bpf.ledger.ledger import Ledger
from ringtop.bpf.transport.records import Drained

CPUS = 3
RING, PERF = 0, 1
Event = tuple[int, int]  # CPU, sequence number


class SilentKernel:
    """Emits events on all CPUs, over either transport, and counts them as a program does; what finds no room in a perf
    buffer it knows, and does not tell."""

    def __init__(self, seed: int) -> None:
        self.noise = random.Random(seed)
        self.seq = [0] * CPUS
        self.by = np.zeros((CPUS, 3, len(COUNTERS)), np.uint64)
        self.written: tuple[list[Event], list[Event]] = ([], [])
        self.lost = np.zeros(CPUS, np.int64)
        self._begun: dict[int, tuple[int, int]] = {}
        """By CPU, the event that is just being emitted, and its transport."""
        self.transport = PERF

    def begin(self, cpu: int) -> None:
        """A program runs up to where it hands the event over."""
        self.finish(cpu)
        self._begun[cpu] = (self.seq[cpu], self.transport)
        self.seq[cpu] += 1
        for name in ("hits", "emitted"):
            self._count(cpu, self.transport, name)

    def finish(self, cpu: int) -> None:
        """It runs to its end: the event is in its buffer, or lost."""
        if cpu not in self._begun:
            return
        seq, transport = self._begun.pop(cpu)
        fate = self.noise.random()
        if fate < 0.4:
            self.written[transport].append((cpu, seq))
        elif fate < 0.5:
            self._count(cpu, transport, "no_reader")
        elif transport == RING:
            self._count(cpu, transport, "full")
        else:
            self.lost[cpu] += 1

    def _count(self, cpu: int, transport: int, name: str) -> None:
        self.by[cpu, transport, COUNTERS.index(name)] += np.uint64(1)

    def some(self, most: int) -> None:
        """Whatever happens meanwhile."""
        for _ in range(self.noise.randrange(most)):
            self.noise.choice((self.begin, self.begin, self.finish))(self.noise.randrange(CPUS))

    def rest(self) -> None:
        """Nothing runs any more."""
        for cpu in range(CPUS):
            self.finish(cpu)

    def counters(self, at_rest: bool = False) -> Counters:
        return Counters(np.array(self.seq, np.uint64), np.zeros(CPUS, np.int64), self.by.copy(), at_rest)

    def drain(self, transport: int) -> Drained:
        """What has been written."""
        rows = np.zeros(len(self.written[transport]), RUNQSLOWER.dtype)
        for row, (cpu, seq) in zip(rows, self.written[transport], strict=True):
            row["cpu"], row["seq"], row["ts"] = cpu, seq, seq
        self.written[transport].clear()
        size = np.bincount(rows["cpu"], minlength=CPUS)
        return Drained(Batch("runqslower", rows, b""), size, np.zeros(CPUS, np.int64), 0)


@settings(deadline=None)
@given(st.integers(0, 1 << 30), st.lists(st.sampled_from([1, 4, 40]), max_size=12))
def test_what_is_missing_and_cannot_be_on_its_way_was_lost(seed: int, rounds: list[int]) -> None:
    """Never more than was lost, never less than was lost before the newest event, and at the end just as much."""
    kernel, ledger, found = SilentKernel(seed), Ledger(CPUS), np.zeros(CPUS, np.int64)

    def audit(at_rest: bool) -> Audit:
        counters = kernel.counters(at_rest)
        counters.by[:, PERF, COUNTERS.index("full")] += found.astype(np.uint64)
        one = Audit(counters)
        if not at_rest:
            kernel.some(5)  # after the counters were read
        for number, transport in enumerate(("ringbuf", "perfbuf")):
            drained = kernel.drain(number)
            one.saw(transport, drained.batch.rows)
            ledger.take(transport, drained, 1 << 40)
        return one

    for most in rounds:
        kernel.transport = kernel.noise.choice((RING, PERF, PERF))
        kernel.some(most)
        surely = kernel.lost.copy()
        more = audit(at_rest=False).find_unreported(ledger)
        assert (more >= 0).all(), "what was counted is taken back"
        found += more
        assert (found <= kernel.lost).all(), "an event on its way was counted as lost"
        assert (found >= surely - 1).all(), "only the newest event of a CPU may still be on its way"
    kernel.rest()
    last = audit(at_rest=True)
    found += last.find_unreported(ledger)
    assert found.tolist() == kernel.lost.tolist()
    for cpu in ledger.cpu_stats("perfbuf", last.counters, [], last.ahead["perfbuf"]):
        assert cpu.emitted == cpu.received + sum(cpu.dropped.values())
        assert cpu.dropped["full"] == kernel.lost[cpu.cpu]
