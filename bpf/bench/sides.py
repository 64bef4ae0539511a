"""The compared readers: ringtop's own, driven as the collector drives them, and bcc's, driven as its tools drive them.

All read the same records of the same program, unlinksnoop. The ring buffer and each CPU's perf buffer have the same
size. The storm runs on one CPU, so both transports have the same space for its events.
"""

from __future__ import annotations

import ctypes as ct
import os
import select
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from ringtop.bpf import filter as language
from ringtop.bpf import stream
from ringtop.bpf.collector.start import start_tracer
from ringtop.bpf.collector.tracer import TICK_NS
from ringtop.bpf.common import sizes
from ringtop.bpf.common.sizes import PAGE
from ringtop.bpf.common.transports import TRANSPORTS, Transport
from ringtop.bpf.event.schema import UNLINKSNOOP
from ringtop.bpf.filter.capture import compile_capture
from ringtop.bpf.kernel import syscall
from ringtop.bpf.kernel.bcc_loader import BccProgram
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.layout import COUNTERS, ProgramConfig
from ringtop.bpf.kernel.loader import load
from ringtop.bpf.options.collector import WINDOW_MS, CollectorOptions

Kind = Literal["ringtop", "ringtop, stream", "bcc", "bcc, 5 fields"]


@dataclass(frozen=True, slots=True)
class Side:
    """One way of reading events that is compared."""

    kind: Kind
    transport: Transport
    wakeup: str
    emit: sizes.Emit = "output"
    """How events get into the ring buffer."""

    @property
    def name(self) -> str:
        """The name in the tables."""
        way = self.transport.removesuffix("buf") if self.emit == "output" else self.emit
        return f"{self.kind}, {way}, {self.wakeup}"


_WAKEUPS = ("timer", "adaptive", "every", "batch:64")

SIDES: tuple[Side, ...] = (
    *(Side("ringtop", "ringbuf", w) for w in _WAKEUPS),
    *(Side("ringtop", "ringbuf", "timer", emit) for emit in sizes.EMITS[1:]),
    *(Side("ringtop", "perfbuf", w) for w in _WAKEUPS if w != "adaptive"),  # adaptive means "every" for perf buffers
    Side("ringtop, stream", "ringbuf", "timer"),
    # bcc's tools use flags of 0 for the ring buffer and wakeup_events=1 for perf buffers.
    Side("bcc", "ringbuf", "adaptive"),
    Side("bcc, 5 fields", "ringbuf", "adaptive"),
    Side("bcc", "perfbuf", "every"),
    Side("bcc, 5 fields", "perfbuf", "every"),
)


@dataclass(frozen=True, slots=True)
class Counted:
    """The ledger of one reader."""

    emitted: int
    received: int
    dropped: int
    gaps: int | None
    """Gaps in the sequence numbers; None for bcc, whose callbacks do not look for them."""
    wakeups: int

    @property
    def residual(self) -> int:
        """Events that are neither received nor dropped; the ledger balances when this is 0."""
        return self.emitted - self.received - self.dropped


class Reader(Protocol):
    """A loaded program together with its reader."""

    @property
    def received(self) -> int:
        """Events so far."""

    def attach(self) -> None:
        """Events flow from now on."""

    def read(self, done: int) -> None:
        """Take events until *done* is readable, and then the rest."""

    def detach(self) -> None:
        """No more events, until the next ``attach``."""

    def count(self) -> Counted:
        """The ledger so far."""

    def close(self) -> None:
        """Free everything."""


class Ours:
    """ringtop's reader. As in the collector's loop, it drains on a timer and when the kernel wakes it."""

    def __init__(self, side: Side, kernel: Kernel, size: int, capture: str) -> None:
        options = CollectorOptions(buffer=size, wakeup=side.wakeup, capture=capture, emit=side.emit)
        self._tracer = start_tracer("unlinksnoop", kernel, options, side.transport)
        self._tracer.stop()
        self._drain = self._drain_and_encode if side.kind == "ringtop, stream" else self._drain_only
        # The kernel wakes an adaptive reader only after it has caught up, and a timer reader only when the fill crosses
        # one half. A ring still past that mark gets no wakeup, so it must be drained again.
        self._behind = {("ringbuf", "adaptive"): 1, ("ringbuf", "timer"): size // 2}.get((side.transport, side.wakeup))

    @property
    def received(self) -> int:
        """Events so far."""
        return int(self._tracer.ways.used.received.received.sum())

    def attach(self) -> None:
        """Events flow from now on."""
        self._tracer.attach()

    def _drain_only(self) -> None:
        """Drain the transport, which bcc's poll does too, and enter the events in the ledger."""
        self._tracer.ways.used.drain()

    def _drain_and_encode(self) -> None:
        """Do all that the collector does with events: resolve unknown ids, put in time order, encode for the stream."""
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) - WINDOW_MS * 1_000_000
        batch = self._tracer.drain(before).batch
        rows = stream.Rows(batch.program, batch.rows.tobytes(), batch.tails)
        stream.encode(stream.Round(before, time.clock_gettime_ns(time.CLOCK_MONOTONIC), [rows]))

    def read(self, done: int) -> None:
        """Take events until *done* is readable, and then the rest."""
        reader = self._tracer.ways.used.reader
        fds = set(reader.fds())
        with select.epoll() as epoll:
            for fd in fds:
                epoll.register(fd, select.EPOLLIN | select.EPOLLET)
            epoll.register(done, select.EPOLLIN)
            due = time.monotonic_ns() + TICK_NS
            ready: set[int] = set()
            while done not in ready:
                ready = {fd for fd, _ in epoll.poll(max(due - time.monotonic_ns(), 0) / 1e9)}
                self._tracer.ways.woken(ready)
                self._drain()
                while self._behind and reader.stats() >= self._behind:
                    self._drain()
                due = time.monotonic_ns() + TICK_NS
        self._drain()

    def detach(self) -> None:
        """No more events, until the next ``attach``."""
        self._tracer.stop()

    def count(self) -> Counted:
        """The ledger so far."""
        (stats,) = self._tracer.stats(self._tracer.drain(1 << 62, audit=True).audit)
        return Counted(
            emitted=sum(c.emitted for c in stats.cpus),
            received=sum(c.received for c in stats.cpus),
            dropped=sum(sum(c.dropped.values()) for c in stats.cpus),
            gaps=sum(c.gaps for c in stats.cpus),
            wakeups=stats.wakeups,
        )

    def close(self) -> None:
        """Free everything."""
        self._tracer.close()


_CTYPES: dict[str, type] = {
    "<u8": ct.c_uint64,
    "<u4": ct.c_uint32,
    "<i4": ct.c_int32,
    "<u2": ct.c_uint16,
    "|S16": ct.c_char * 16,
}


class _Event(ct.Structure):
    """The record's fixed part and the path, as a bcc tool would declare them."""

    _fields_ = (
        *((name, _CTYPES[UNLINKSNOOP.dtype[name].str]) for name in UNLINKSNOOP.dtype.names or ()),
        ("path", ct.c_char * 16),
    )


class Bcc:
    """bcc's own callbacks: one that only counts, or one that reads five fields of each event as its tools do."""

    def __init__(self, side: Side, kernel: Kernel, size: int, capture: str) -> None:
        self._transport = side.transport
        self._silent = kernel.silent_perf and side.transport == "perfbuf"
        self.received = self._rounds = 0
        self._ring = -1
        self._loaded = load("unlinksnoop", kernel, not kernel.no_ringbuf, loader="bcc")
        assert isinstance(self._loaded.handle, BccProgram)
        bpf = self._loaded.handle.bpf
        compiled = compile_capture(language.parse(capture), UNLINKSNOOP, self._loaded.rung.knows)
        self._loaded.configure(ProgramConfig(side.transport, *sizes.kernel_wakeup(side.wakeup, size), compiled))
        name = "ring_template" if side.transport == "ringbuf" else "perfbuf"
        table, callback = bpf[name], self._callback(side.kind, bpf, name)
        # bcc derives the event's class from a call of perf_submit or ringbuf_output in the program. Ours is in emit.h,
        # so the class is set here.
        table._event_class = _Event
        if side.transport == "ringbuf":
            # The table's own ring is only the one-page template, because the program looks up its ring in the array of
            # maps.
            self._ring = syscall.map_create(syscall.MAP_TYPE_RINGBUF, size, name=b"bench")
            syscall.map_update(self._loaded.map_fd("ringbuf"), 0, self._ring.to_bytes(4, "little"))
            table.map_fd = self._ring
            table.open_ring_buffer(callback)
            self._poll: Callable[[int], object] = bpf.ring_buffer_poll
        else:
            table.open_perf_buffer(callback, size // PAGE, lambda lost: None)
            self._poll = bpf.perf_buffer_poll

    def _callback(self, kind: Kind, bpf: Any, name: str) -> Callable[[object, int, int], int]:
        def count(_: object, data: int, size: int) -> int:
            self.received += 1
            return 0

        def look(_: object, data: int, size: int) -> int:
            event = bpf[name].event(data)
            _ = event.ts, event.pid, event.comm, event.ret, event.path
            self.received += 1
            return 0

        return count if kind == "bcc" else look

    def attach(self) -> None:
        """Events flow from now on."""
        self._loaded.attach()

    def read(self, done: int) -> None:
        """Take events until *done* is readable, and then the rest."""
        while not select.select([done], (), (), 0)[0]:
            self._poll(100)
            self._rounds += 1
        before = -1
        while before != self.received:
            before = self.received
            self._poll(0)

    def detach(self) -> None:
        """No more events, until the next ``attach``."""
        self._loaded.detach()

    def count(self) -> Counted:
        """The ledger so far."""
        sums = self._loaded.counters().by[:, TRANSPORTS.index(self._transport), :].sum(axis=0)
        n = dict(zip(COUNTERS, np.asarray(sums).tolist(), strict=True))
        # This kernel does not report drops, so bcc's callbacks cannot be checked: all missing events count as dropped.
        dropped = n["emitted"] - self.received if self._silent else n["full"] + n["no_reader"] + n["other"]
        return Counted(n["emitted"], self.received, dropped, None, self._rounds)

    def close(self) -> None:
        """Free everything."""
        self._loaded.close()
        if self._ring >= 0:
            os.close(self._ring)


def open_side(side: Side, kernel: Kernel, size: int, capture: str) -> Reader:
    """Return the reader of *side*, for the unlinks that pass the capture filter *capture*. Raises CannotTrace."""
    return (Ours if side.kind.startswith("ringtop") else Bcc)(side, kernel, size, capture)
