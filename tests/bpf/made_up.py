"""A made-up kernel with one program in it, whose events a test causes step by step, and the readers of its buffers.

An event goes the way that emit.h sends it. It is a generator: wherever it yields, anything may happen elsewhere before
it goes on. What becomes of every event is written down, apart from the counters that the collector is told.
"""

from __future__ import annotations

import errno
import os
import threading
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from ringtop.bpf.collector.following import Following
from ringtop.bpf.collector.tracer import Tracer
from ringtop.bpf.common.clock import now_ns
from ringtop.bpf.common.loaders import Loader
from ringtop.bpf.common.transports import OTHER, TRANSPORTS, Transport
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import UNLINKSNOOP
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.ladder import Rung
from ringtop.bpf.kernel.layout import COPIES, COUNTERS, Counters, ProgramConfig
from ringtop.bpf.kernel.marks import Marks
from ringtop.bpf.kernel.origins import Origins
from ringtop.bpf.kernel.scope import WantedGroup
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.bpf.transport.reader import Reader
from ringtop.bpf.transport.records import Drained
from ringtop.bpf.transport.setting import Setting

ROOM = 1024
"""Bytes that an event takes in a buffer."""
Key = tuple[int, int]
"""CPU and number of an event."""


class Clock:
    """The time, as a comparison sees it: it passes faster than ours."""

    def __init__(self) -> None:
        self.ahead_ns = 0

    def now_ns(self) -> int:
        return now_ns() + self.ahead_ns


class Gate:
    """Where other threads than the test's stop before each call into the kernel, until the test lets one go on."""

    def __init__(self) -> None:
        self.open = False
        """Nobody is stopped any more."""
        self._changed = threading.Condition()
        self._others = set(threading.enumerate())
        self._waiting = self._let = 0

    def enter(self) -> None:
        """Before a call."""
        with self._changed:
            if threading.current_thread() in self._others or self.open:
                return
            self._waiting += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._let > 0 or self.open)
            self._waiting -= 1
            self._let = 0
            self._changed.notify_all()

    def unlock(self) -> None:
        """Stop nobody any more."""
        with self._changed:
            self.open = True
            self._changed.notify_all()

    def let_one(self) -> None:
        """Let the thread that works, if there is one, make one call. It then waits before the next, or has ended."""
        with self._changed:
            self._stands()
            if self._waiting:
                self._let = 1
                self._changed.notify_all()
                self._changed.wait_for(lambda: not self._let)
                self._stands()

    def _stands(self) -> None:
        while not self._waiting and set(threading.enumerate()) - self._others:
            self._changed.wait(0.001)


@dataclass(eq=False)
class Record:
    """An event in a buffer."""

    key: Key
    ts: int
    written: bool = False


@dataclass(eq=False)
class Buffer:
    """A ring, or one CPU's perf buffer."""

    room: int
    """Events that it holds."""
    wakeup: str
    records: deque[Record] = field(default_factory=deque)
    dead: bool = False
    """The kernel has shut it down: its CPU went away."""
    fd: int = field(default_factory=lambda: os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC))

    def wake(self) -> None:
        """After an event was written; with the timer only as half is passed."""
        if self.fd >= 0 and (self.wakeup != "timer" or len(self.records) == (self.room + 1) // 2):
            os.eventfd_write(self.fd, 1)

    def close(self) -> None:
        """Nobody reads it any more; a program that finds it still writes to it."""
        os.close(self.fd)
        self.fd = -1

    def take(self) -> list[Record]:
        """All that were written before the first that is not."""
        taken = []
        while self.records and self.records[0].written:
            taken.append(self.records.popleft())
        return taken


class MadeUpReader:
    """The reader of one transport, as ``Reader`` has it."""

    def __init__(self, kernel: MadeUp, setting: Setting) -> None:
        self.transport, self.size = setting.transport, setting.buffer
        self.memory = self.capacity = setting.buffer * (len(kernel.online) if setting.transport == "perfbuf" else 1)
        self.buffers: dict[int, Buffer] = {}
        self.closed = False
        self._kernel = kernel
        self._new = partial(Buffer, setting.buffer // ROOM, setting.wakeup)
        self._leaving: list[Buffer] = []

    def open(self) -> None:
        keys = sorted(self._kernel.online) if self.transport == "perfbuf" else [0]
        self.buffers = {key: self._new() for key in keys}

    def _map(self, map_fd: int) -> dict[int, Buffer]:
        assert map_fd == self._kernel.map_fd(self.transport)
        return self._kernel.maps[self.transport]

    def install(self, map_fd: int) -> None:
        for key, buffer in self.buffers.items():
            self._kernel.call("install")
            self._map(map_fd)[key] = buffer
        if self.transport == "ringbuf":  # the kernel waits when it changes a map of maps
            self._kernel.finish_all()

    def uninstall(self, map_fd: int) -> None:
        for key in self.buffers:
            self._kernel.call("uninstall")
            self._map(map_fd).pop(key, None)

    def follow(self, online: list[int], map_fd: int, dead: Collection[int] = ()) -> None:
        if self.transport == "ringbuf":
            return
        for cpu in [cpu for cpu in self.buffers if cpu in dead or cpu not in online]:
            self._map(map_fd).pop(cpu, None)
            self._leaving.append(self.buffers.pop(cpu))
        for cpu in [cpu for cpu in online if cpu not in self.buffers]:
            self._kernel.call("install")
            self.buffers[cpu] = self._map(map_fd)[cpu] = self._new()

    def fds(self) -> list[int]:
        return [buffer.fd for buffer in self.buffers.values()]

    def drain(self) -> Drained:
        assert not self.closed
        records = [record for buffer in (*self._leaving, *self.buffers.values()) for record in buffer.take()]
        for buffer in self._leaving:
            buffer.close()
        self._leaving.clear()
        rows = np.zeros(len(records), UNLINKSNOOP.dtype)
        rows["cpu"] = [record.key[0] for record in records]
        rows["seq"] = [record.key[1] for record in records]
        rows["ts"] = [record.ts for record in records]
        size = np.bincount(rows["cpu"], minlength=self._kernel.cpus) * ROOM
        return Drained(Batch("unlinksnoop", rows, b""), size, np.zeros(self._kernel.cpus, np.int64), 0)

    def stats(self) -> int:
        return sum(len(buffer.records) for buffer in self.buffers.values()) * ROOM

    def close(self) -> None:
        assert not self.closed
        self.closed = True
        for buffer in (*self._leaving, *self.buffers.values()):
            buffer.close()


@dataclass(frozen=True)
class Fate:
    """What became of an event over one transport."""

    transport: Transport
    dropped: str = ""
    """Why, by the name of its counter; empty: not dropped."""


class MadeUp:
    """The program, as ``Loaded`` has it, and the kernel around it, which has *cpus* CPUs. One that is *silent* does not
    tell the program that its event found no room in a perf buffer, and has no ring buffer."""

    program = "unlinksnoop"
    hook, without, no_core = "made up", "", ""
    loader: Loader = "core"
    rung = Rung("made up", (), {})

    def __init__(self, cpus: int = 2, silent: bool = False) -> None:
        self.cpus, self.silent = cpus, silent
        self.unreported = np.zeros(cpus, np.int64)
        self.online = set(range(cpus))
        self.tried: list[str] = []
        self.gate = Gate()
        """What threads of the collector pass before they change anything."""
        self.refuse: Counter[str] = Counter()
        """How many of the next calls of a kind fail: ``open``, ``install``, ``wait``, ``uninstall``."""
        self.config: ProgramConfig | None = None
        self.configs: list[ProgramConfig] = []
        """All that ever were in force."""
        self.attached = False
        self.closed = False
        self.maps: dict[str, dict[int, Buffer]] = {transport: {} for transport in TRANSPORTS}
        self.readers: list[MadeUpReader] = []
        self.working: dict[int, Iterator[None]] = {}
        """Events on their way, by CPU: a program is not interrupted by itself."""
        self.fates: dict[Key, Fate] = {}
        """Of all events that were given a number."""
        self.copies: dict[Key, Fate] = {}
        self.meanwhile: list[int] = []
        """CPUs where an event happens just after the counters were read next."""
        self.read_fates: dict[Key, Fate] = {}
        """As the events' fates were when the counters were read last."""
        self._seq = np.zeros(cpus, np.uint64)
        self._by = np.zeros((cpus, len(TRANSPORTS) + 1, len(COUNTERS)), np.uint64)
        self._clock = 0

    # Events

    def _count(self, cpu: int, row: int, name: str) -> None:
        self._by[cpu, row, COUNTERS.index(name)] += 1

    def _event(self, cpu: int) -> Iterator[None]:
        assert self.config is not None
        to = self.config.transport
        self._count(cpu, TRANSPORTS.index(to), "hits")
        if self.config.capture.active:
            self._count(cpu, TRANSPORTS.index(to), "filtered")
            return
        yield
        key = cpu, int(self._seq[cpu])
        self._seq[cpu] += 1
        yield from self._hand_over(key, to, TRANSPORTS.index(to), self.fates)
        if self.config.copy:
            yield from self._hand_over(key, OTHER[to], COPIES, self.copies)

    def _hand_over(self, key: Key, to: Transport, row: int, fates: dict[Key, Fate]) -> Iterator[None]:
        cpu, _ = key
        self._count(cpu, row, "emitted")
        fates[key] = Fate(to)
        buffer = self.maps[to].get(0 if to == "ringbuf" else cpu)
        yield
        if buffer is None or buffer.dead or len(buffer.records) >= buffer.room:
            reason = "no_reader" if buffer is None or buffer.dead else "full"
            if reason == "no_reader" or not self.silent:
                self._count(cpu, row, reason)
            fates[key] = Fate(to, reason)
            return
        self._clock += 1
        record = Record(key, self._clock)
        buffer.records.append(record)
        yield
        record.written = True
        buffer.wake()

    def step(self, cpu: int) -> None:
        """An event on this CPU begins, or goes one step further."""
        if not self.attached or cpu not in self.online:
            assert cpu not in self.working
            return
        if cpu not in self.working:
            self.working[cpu] = self._event(cpu)
        try:
            next(self.working[cpu])
        except StopIteration:
            del self.working[cpu]

    def finish(self, cpu: int) -> None:
        """What is on its way on this CPU ends."""
        while cpu in self.working:
            self.step(cpu)

    def finish_all(self) -> None:
        """A grace period."""
        for cpu in list(self.working):
            self.finish(cpu)

    def events(self, cpu: int, count: int = 1) -> None:
        """So many whole events on this CPU, after one that is on its way."""
        self.finish(cpu)
        for _ in range(count):
            self.step(cpu)
            self.finish(cpu)

    def switch_off(self, cpu: int) -> None:
        """The CPU goes away, and its perf buffers are shut down."""
        self.finish(cpu)
        self.online.discard(cpu)
        for reader in self.readers:
            if reader.transport == "perfbuf" and cpu in reader.buffers:
                reader.buffers[cpu].dead = True

    # What the collector does

    def call(self, kind: str) -> None:
        """Before every change."""
        self.gate.enter()
        if self.refuse[kind]:
            self.refuse[kind] -= 1
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    def open(self, setting: Setting) -> Reader:
        """The buffers of *setting*. Raises CannotTrace."""
        try:
            self.call("open")
        except OSError as e:
            raise setting.refused(self.program, e) from e
        reader = MadeUpReader(self, setting)
        reader.open()
        self.readers.append(reader)
        return reader

    def map_fd(self, name: str) -> int:
        return {"ringbuf": 100, "perfbuf": 101}[name]

    def configure(self, config: ProgramConfig) -> None:
        self.call("configure")
        self.config = config
        self.configs.append(config)

    def waits(self) -> None:
        return None

    def see_failures(self, wanted: bool) -> None:
        pass

    def know_parents(self) -> None:
        pass

    def counters(self) -> Counters:
        by = self._by.copy()
        by[:, TRANSPORTS.index("perfbuf"), COUNTERS.index("full")] += self.unreported.astype(np.uint64)
        told = Counters(self._seq.copy(), np.zeros(self.cpus, np.int64), by, not self.attached)
        self.read_fates = dict(self.fates)
        for cpu in self.meanwhile:
            self.events(cpu)
        self.meanwhile = []
        return told

    def functions(self) -> dict[str, int]:
        return {}

    def missed(self) -> int:
        return 0

    def wait_for_runs(self) -> None:
        self.call("wait")
        self.finish_all()

    def attach(self) -> None:
        self.attached = True

    def detach(self) -> None:
        self.finish_all()
        self.attached = False

    def forget(self) -> None:
        raise AssertionError("only what is doubtful is tried and begins anew")

    def close(self) -> None:
        assert not self.closed
        self.closed = True


def tracer(program: MadeUp, transport: Transport = "ringbuf", options: CollectorOptions | None = None) -> Tracer:
    """The collector's side of *program*."""
    kernel = Kernel("6.1")
    no_ringbuf = "this kernel has no BPF ring buffer" if program.silent else ""
    # Instead of asking this machine.
    vars(kernel).update(no_ringbuf=no_ringbuf, inner_pids="", silent_perf=program.silent)
    return Tracer(program, kernel, options or CollectorOptions(), transport, sorted(program.online), program.open)


class MadeUpOrigins(Origins):
    """Origins that nobody keeps."""

    def __init__(self) -> None:
        self._attached = []


class MadeUpGroup(WantedGroup):
    """A control group that no program reads."""

    def __init__(self) -> None:
        self._attached = []


class MadeUpMarks(Marks):
    """Marks that no program reads."""

    def __init__(self) -> None:
        self.origins = MadeUpOrigins()
        self.group = MadeUpGroup()
        self.excluded: set[int] = set()

    def exclude(self, tasks: Iterable[int]) -> None:
        self.excluded = set(tasks)


def following() -> Following:
    """What a collector without processes follows."""
    kernel = Kernel("6.1")
    vars(kernel).update(inner_pids="")
    return Following(kernel, MadeUpMarks(), [])
