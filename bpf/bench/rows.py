"""The rows of the comparison: storms under each reader, and their cost to the reader and to the traced process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from operator import truediv
from statistics import median

from ringtop.bpf.bench.sides import Counted, Reader, Side, open_side
from ringtop.bpf.bench.storm import Made, Storm, unlinks
from ringtop.bpf.kernel.features import Kernel

ROUNDS = 3
"""Number of storms for each reader. Readers are compared within a round and the median over the rounds is reported, so
that a machine that grows busier meanwhile affects all readers alike."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The parameters that all rows share."""

    events: int
    buffer: int
    """Size in bytes of the ring buffer, or of each CPU's perf buffer."""
    storm_cpu: int
    limit: float = 2.0
    """Seconds that the storms of one row may take; a slower row has fewer events."""


@dataclass(frozen=True, slots=True)
class Row:
    """The measurements of one reader. The ledger is exact; the times are only as accurate as the machine was quiet."""

    side: Side
    offered: int
    """System calls that the storms made; each is one event."""
    counted: Counted
    offered_per_s: float
    received_per_s: float
    reader_us: float
    """CPU time of the reader, user and system, for each event it received."""
    reader_ratio: float
    """The reader's CPU time per event, as a ratio to that of the first row."""
    call_ns: float
    """Time of one call of the storm."""
    slow_down: float
    """The time of one call, as a ratio to its time with no program attached."""


@dataclass(slots=True)
class _Turns:
    """The measurements of one reader, round by round."""

    reader: Reader
    reader_s: list[float] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)

    def take(self, storm: Storm, count: int, limit: float) -> None:
        """Measure one storm."""
        self.reader.attach()
        before, cpu = self.reader.received, time.thread_time()
        storm.start(count, limit)
        self.reader.read(storm.done)
        self.reader_s.append((time.thread_time() - cpu) / max(self.reader.received - before, 1))
        self.made.append(storm.result())
        self.reader.detach()


def measure(sides: Sequence[Side], kernel: Kernel, plan: Plan, say: Callable[[str], None]) -> list[Row]:
    """Return a row for each of *sides*; *say* is called with each step. Raises CannotTrace."""
    limit = plan.limit / ROUNDS
    bare: list[float] = []
    with ExitStack() as stack:
        storm = Storm(unlinks, plan.storm_cpu)
        stack.callback(storm.close)
        turns: list[_Turns] = []
        for side in sides:
            say(f"loading: {side.name}")
            turns.append(_Turns(open_side(side, kernel, plan.buffer, f"pid={storm.pid}")))
            stack.callback(turns[-1].reader.close)
        for number in range(ROUNDS):
            count = (plan.events + number) // ROUNDS
            bare.append(storm.run(count, limit).call_ns)
            for side, turn in zip(sides, turns, strict=True):
                say(f"round {number + 1} of {ROUNDS}: {side.name}")
                turn.take(storm, count, limit)
        return [_row(side, turn, turns[0], bare) for side, turn in zip(sides, turns, strict=True)]


def _row(side: Side, turns: _Turns, first: _Turns, bare: list[float]) -> Row:
    counted = turns.reader.count()
    offered, seconds = sum(m.count for m in turns.made), sum(m.seconds for m in turns.made)
    return Row(
        side,
        offered,
        counted,
        offered_per_s=offered / seconds,
        received_per_s=counted.received / seconds,
        reader_us=median(turns.reader_s) * 1e6,
        reader_ratio=median(map(truediv, turns.reader_s, first.reader_s)),
        call_ns=median(m.call_ns for m in turns.made),
        slow_down=median(map(truediv, (m.call_ns for m in turns.made), bare)),
    )
