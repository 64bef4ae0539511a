"""Overload: the cost of each way into a full ring buffer to those who cause events, when nearly all are dropped."""

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
"""Size in bytes of the ring buffer, which is not read during the storms."""
_SHARE = 10
"""One storm here has this fraction (1/10) of the events, and of the time limit, of a row in the first table."""


@dataclass(frozen=True, slots=True)
class Paid:
    """The cost of one call of a storm, compared with a call without any program; medians over the rounds."""

    slow_down: float
    adds_ns: float
    adds_ratio: float
    """``adds_ns`` as a ratio to that of the first row."""


@dataclass(frozen=True, slots=True)
class Overload:
    """The measurements of one way into a full ring buffer."""

    emit: Emit
    one: Paid
    """The cost with a storm on one CPU."""
    all: Paid
    """The cost with a storm on every CPU at once."""
    offered: int
    counted: Counted


def overloads(kernel: Kernel, plan: Plan, cpus: Sequence[int], say: Callable[[str], None]) -> list[Overload]:
    """Return a row for each way, with storms on *cpus*; *say* is called with each step. Raises CannotTrace."""
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
                        readers[way].count()  # drains the ring
                if way:
                    readers[way].detach()

        def paid(way: Emit, storms: int) -> Paid:
            off, on, first = (took[w, storms] for w in (None, way, EMITS[0]))
            adds = median(map(sub, on, off))
            return Paid(median(map(truediv, on, off)), adds, adds / median(map(sub, first, off)))

        return [
            Overload(way, paid(way, 1), paid(way, len(storms)), offered[way], readers[way].count()) for way in EMITS
        ]
