"""One program at work: loaded, its transport open, its ledger kept."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ringtop.bpf import filter as language
from ringtop.bpf import sizes
from ringtop.bpf.batch import Batch
from ringtop.bpf.capture import compile_capture
from ringtop.bpf.errors import CannotTrace
from ringtop.bpf.kernel import Kernel, online_cpus, possible_cpus
from ringtop.bpf.ledger import Ledger
from ringtop.bpf.loader import Config, Counters, load
from ringtop.bpf.order import WINDOW_NS, InOrder
from ringtop.bpf.perfbuf import PerfBuffers
from ringtop.bpf.resolve import resolve
from ringtop.bpf.ringbuf import RingBuffer
from ringtop.bpf.schema import SCHEMAS
from ringtop.bpf.stream import ProgramStats, State, Transport

TICK_NS = 100_000_000
"""The buffers are drained this often, whatever the wake-up mode."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a program is to be run."""

    transport: Transport
    buffer: int
    """Bytes; 0 for the transport's default."""
    wakeup: str
    capture: str
    min_us: int
    """runqslower: shortest wait that is reported."""


class Tracer:
    """A program in the kernel with its reader. Raises CannotTrace when it cannot be."""

    def __init__(self, program: str, kernel: Kernel, settings: Settings) -> None:
        self.program = program
        self.schema = SCHEMAS[program]
        self.settings = settings
        self._loaded = load(program, kernel, not kernel.no_ringbuf)
        self._excluded: set[int] = set()
        self._online = online_cpus()
        self.ledger = Ledger(possible_cpus())
        self._order = InOrder(program)
        self._counters: Counters | None = None
        self._ahead = np.zeros(self.ledger.cpus, np.int64)
        try:
            self._config = self._configuration(settings.capture)
            self.reader = self._open()
        except language.FilterError as e:
            self._loaded.close()
            cure = "`ringtop trace --help` tells what the capture filter takes."
            raise CannotTrace(f"{program} cannot have this capture filter", str(e), cure) from e
        except CannotTrace:
            self._loaded.close()
            raise

    @property
    def transport(self) -> Transport:
        """Where the events go."""
        return self.settings.transport

    @property
    def buffer(self) -> int:
        """Size of the ring, or of each CPU's perf buffer, bytes."""
        return self.settings.buffer or sizes.DEFAULT[self.transport]

    def _configuration(self, capture: str) -> Config:
        texts = [f"latency>={self.settings.min_us}us"] if self.schema.field("latency") else []
        texts += [f"({capture})"] if capture.strip() else []
        expr = language.parse(capture)  # so that an error points into what the user wrote
        if expr is not None:
            compile_capture(expr, self.schema, self._loaded.rung.knows)
        whole = language.parse(" and ".join(texts))
        wakeup, argument = sizes.kernel_wakeup(self.settings.wakeup, self.buffer)
        return Config(self.transport, wakeup, argument, compile_capture(whole, self.schema, self._loaded.rung.knows))

    def _open(self) -> RingBuffer | PerfBuffers:
        cpus = possible_cpus()
        reader: RingBuffer | PerfBuffers
        if self.transport == "ringbuf":
            reader = RingBuffer(self.schema, self.buffer, cpus)
            asked = f"a ring buffer of {sizes.human(self.buffer)}"
        else:
            wakeup = sizes.perf_wakeup(self.settings.wakeup, self.buffer)
            reader = PerfBuffers(self.schema, self.buffer, cpus, self._online, wakeup)
            asked = f"a perf buffer of {sizes.human(self.buffer)} for each of {len(self._online)} CPUs"
        try:
            reader.open(self._loaded.map_fd(self.transport))
        except OSError as e:
            cure = "Ask for smaller ones with --buffer, or raise the limit: ulimit -l, ulimit -v, the cgroup's memory."
            raise CannotTrace(f"{self.program} could not have {asked}", os.strerror(e.errno or 0), cure) from e
        return reader

    def attach(self) -> None:
        """Events flow from now on. Raises CannotTrace, and then the program is out of the kernel again."""
        self._loaded.configure(self._config)
        try:
            self._loaded.attach()
        except CannotTrace:
            self.close()
            raise

    def set_capture(self, text: str) -> None:
        """Replace the capture filter. Raises FilterError and leaves the old one in force."""
        self._config = self._configuration(text)
        self._loaded.configure(self._config)

    def exclude(self, pids: list[int]) -> None:
        """Keep ringtop's own processes out. Where the hook does not know processes, their threads are named."""
        now = set(pids)
        if "pid" not in self._loaded.rung.knows:
            for pid in pids:
                tasks = Path(f"/proc/{pid}/task")
                now |= {int(t.name) for t in tasks.iterdir()} if tasks.is_dir() else set()
        self._loaded.exclude(self._excluded, now)
        self._excluded = now

    def drain(self, before_ns: int, audit: bool = False) -> Batch:
        """The events stamped before *before_ns* (about now), in time order; all that arrived is in the ledger.

        For an *audit* the kernel's counters are read before the buffers: what they say was emitted is then here or
        dropped, but for events just being written; and what is here without being in them is known by its numbers.
        """
        self._counters = self._loaded.counters() if audit else None
        drained = self.reader.drain()
        if self._counters:
            rows = drained.batch.rows
            ahead = rows["cpu"][rows["seq"] >= self._counters.seq[rows["cpu"]]]
            self._ahead = np.bincount(ahead, minlength=self.ledger.cpus)
        self.ledger.take(self.transport, drained, time.clock_gettime_ns(time.CLOCK_MONOTONIC))
        return self._order.push(resolve(drained.batch), before_ns)

    def skip(self) -> None:
        """Not drained this time: the events stay in the buffers."""
        self._counters = None

    @property
    def patience_ns(self) -> int:
        """How long the next drain may wait if the kernel does not ask for it.

        It asks when a buffer gets half full (timer), or holds its first event (the other modes): not for one that was
        so already when the last drain ended.
        """
        timer = self.settings.wakeup == "timer"
        if self.reader.stats() >= (self.buffer // 2 if timer else 1):
            return 0
        return WINDOW_NS if self._order.holding and not timer else TICK_NS

    def woken(self) -> None:
        """The kernel woke the reader."""
        self.ledger.by[self.transport].wakeups += 1

    def stop(self) -> None:
        """Detach: nothing is emitted any more."""
        self._loaded.detach()

    def close(self) -> None:
        """Free the buffers and take the program out of the kernel."""
        self.reader.close()
        self._loaded.close()

    def state(self, capture: str) -> State:
        """What a user is told of it."""
        return State(
            program=self.program,
            state="running",
            transport=self.transport,
            hook=self._loaded.rung.name,
            tried=self._loaded.tried,
            buffer_bytes=self.buffer,
            wakeup=self.settings.wakeup,
            capture=capture,
        )

    def stats(self) -> ProgramStats:
        """The ledger as of the last drain, if that was for an audit; else as it is, with what lies in the buffers."""
        counters = self._counters or self._loaded.counters()
        ahead = self._ahead if self._counters else None
        run_ns, runs, missed = self._loaded.times()
        side = self.ledger.by[self.transport]
        return ProgramStats(
            program=self.program,
            transport=self.transport,
            cpus=self.ledger.cpu_stats(self.transport, counters, self._online, ahead),
            fill=int(np.sum(side.fill)) if self._counters else self.reader.stats(),
            capacity=self.reader.capacity,
            wakeups=side.wakeups,
            latency_us=side.latency.tolist(),
            missed=missed,
            run_ns=run_ns,
            runs=runs,
        )
