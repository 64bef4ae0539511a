"""Tax: the cost of attached programs to processes that cause no events, in system calls, switches and wakeups."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from ringtop.bpf.bench.storm import Calls, Storm, getppids, ping_pong
from ringtop.bpf.collector.start import start_tracer
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.transports import Transport
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.options.collector import CollectorOptions

ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Tax:
    """The time of one turn of a load, with and without a program."""

    program: str
    """The program and the collector's options."""
    load: str
    off_ns: float
    on_ns: float

    @property
    def ratio(self) -> float:
        """The time with the program, as a ratio to the time without."""
        return self.on_ns / self.off_ns


_LOADS: tuple[tuple[str, tuple[str, ...], str, Callable[[], Calls], int], ...] = (
    ("execsnoop", (), "getppid", getppids, 500_000),
    ("execsnoop", ("--capture=ret=0",), "getppid", getppids, 500_000),
    ("unlinksnoop", (), "getppid", getppids, 500_000),
    ("runqslower", (), "pipe ping-pong on one CPU", ping_pong, 20_000),
    ("runqslower", ("--no-histogram",), "pipe ping-pong on one CPU", ping_pong, 20_000),
)
"""Program, options of the collector, load and its number of turns."""


def taxes(kernel: Kernel, cpu: int, scale: float) -> Iterator[Tax | CannotTrace]:
    """Measure one load after another; *scale* is the fraction of the usual number of turns."""
    for program, words, load, prepare, turns in _LOADS:
        try:
            yield _tax(program, words, load, prepare, max(int(turns * scale), 100), kernel, cpu)
        except CannotTrace as e:
            yield e


def _tax(
    program: str, words: tuple[str, ...], load: str, prepare: Callable[[], Calls], turns: int, kernel: Kernel, cpu: int
) -> Tax:
    """Measure without and with the program in turns, so that a machine that grows busier affects both."""
    off, on = [], []
    transport: Transport = "perfbuf" if kernel.no_ringbuf else "ringbuf"
    with ExitStack() as stack:
        storm = Storm(prepare, cpu)
        stack.callback(storm.close)
        tracer = start_tracer(program, kernel, CollectorOptions.parse(words), transport)
        stack.callback(tracer.close)
        tracer.stop()
        for _ in range(ROUNDS):
            off.append(storm.run(turns, 1).call_ns)
            tracer.attach()
            on.append(storm.run(turns, 1).call_ns)
            tracer.stop()
    return Tax(" ".join((program, *words)), load, median(off), median(on))
