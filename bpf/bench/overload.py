"""The ways into a ring that is full: what those who cause events pay for each, when nearly all of them are lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from operator import sub, truediv
from statistics import fmean, median

from ringtop.bpf.bench.rows import Plan
from ringtop.bpf.bench.sides import Counted, Side, open_side
from ringtop.bpf.bench.storm import Storm, unlinks
from ringtop.bpf.common.sizes import EMITS, Emit
from ringtop.bpf.kernel.features import Kernel

ROUNDS = 5
BUFFER = 64 << 10
"""Bytes: of a ring that nobody reads while the storms last."""
_SHARE = 10
"""One storm here has such a part of the events, and of the time, of a row of the first table."""


@dataclass(frozen=True, slots=True)
class Paid:
    """What one call of a storm took, against the same without any program: medians of the rounds."""

    slow_down: float
    adds_ns: float
    adds_ratio: float
    """The same in its ratio to the first row's."""


@dataclass(frozen=True, slots=True)
class Overload:
    """One way in."""

    emit: Emit
    one: Paid
    """With a storm on one CPU."""
    all: Paid
    """With a storm on every CPU at once."""
    offered: int
    counted: Counted


def overloads(kernel: Kernel, plan: Plan, cpus: Sequence[int], say: Callable[[str], None]) -> list[Overload]:
    """A row for each way, with storms on *cpus*; *say* is told what is being done. Raises CannotTrace."""
    took: defaultdict[tuple[Emit | None, int], list[float]] = defaultdict(list)
    offered: defaultdict[Emit | None, int] = defaultdict(int)
    with ExitStack() as stack:
        storms = [Storm(unlinks, cpu) for cpu in cpus]
        for storm in storms:
            stack.callback(storm.close)
        pids = [storm.pid for storm in storms]
        capture = f"pid>={min(pids)} and pid<={max(pids)}"
        readers = {}
        for emit in EMITS:
            say(f"loading: {emit}")
            readers[emit] = open_side(Side("ringtop", "ringbuf", "timer", emit), kernel, BUFFER, capture)
            stack.callback(readers[emit].close)
        for number in range(ROUNDS):
            for way in (None, *EMITS):  # None: no program
                say(f"overload, round {number + 1} of {ROUNDS}: {way or 'no program'}")
                if way:
                    readers[way].attach()
                for some in (storms[:1], storms):
                    for storm in some:
                        storm.start(plan.events // _SHARE, plan.limit / _SHARE)
                    made = [storm.result() for storm in some]
                    took[way, len(some)].append(fmean(m.call_ns for m in made))
                    offered[way] += sum(m.count for m in made)
                    if way:
                        readers[way].count()  # takes what is in the ring
                if way:
                    readers[way].detach()

        def paid(way: Emit, storms: int) -> Paid:
            off, on, first = (took[w, storms] for w in (None, way, EMITS[0]))
            adds = median(map(sub, on, off))
            return Paid(median(map(truediv, on, off)), adds, adds / median(map(sub, first, off)))

        return [
            Overload(way, paid(way, 1), paid(way, len(storms)), offered[way], readers[way].count()) for way in EMITS
        ]
