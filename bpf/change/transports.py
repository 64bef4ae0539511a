"""The ways a program's events leave the kernel: the one in use, one that is leaving, one that is compared with it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from select import EPOLLET, EPOLLIN, epoll

import numpy as np

from ringtop.bpf import stream
from ringtop.bpf.change.comparison import Comparison
from ringtop.bpf.change.handover import Handover
from ringtop.bpf.common import sizes
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.transports import OTHER, TRANSPORTS, Transport
from ringtop.bpf.event.batch import Batch, concat
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.filter.capture import Capture
from ringtop.bpf.kernel.features import online_cpus, possible_cpus
from ringtop.bpf.kernel.layout import COUNTERS, Counters
from ringtop.bpf.kernel.loaded import Loaded
from ringtop.bpf.ledger.ledger import Ledger
from ringtop.bpf.ledger.period import Figures, figures, losses
from ringtop.bpf.transport.reader import Reader
from ringtop.bpf.transport.setting import Setting

_NO_READER = COUNTERS.index("no_reader")


class Transports:
    """Those of a loaded program, not yet configured; *size* is what the user asks of any. Raises CannotTrace when the
    buffers cannot be had."""

    def __init__(self, loaded: Loaded, setting: Setting, no_ringbuf: str, size: int = 0) -> None:
        self.setting = setting
        self.news: list[stream.Changed | stream.Compared | stream.Notice] = []
        """What came of changes, for the stream; whoever reads it empties it."""
        self._loaded, self._no_ringbuf = loaded, no_ringbuf
        self._schema = SCHEMAS[loaded.program]
        self._online = online_cpus()
        self.ledger = Ledger(possible_cpus())
        self.capture: Capture | None = None
        self._sizes = {transport: size or default for transport, default in sizes.DEFAULT.items()}
        self._handover: Handover | None = None
        self._comparison: Comparison | None = None
        self._next = setting
        self._lost_before = 0
        self._damaged = 0
        """Damaged records that were told of."""
        self._used = {setting.transport}
        self._unread = np.zeros(self.ledger.cpus, np.uint64)
        """Events that had found no reader when perf buffers were last made for the CPUs."""
        self._ahead = np.zeros((len(TRANSPORTS), self.ledger.cpus), np.int64)
        self._refused_cpus: list[int] = []
        """CPUs that were on when one of them could not have its perf buffer."""
        self._epoll: epoll | None = None
        self.reader = self._open(setting)
        try:
            self.reader.install(loaded.map_fd(setting.transport))
        except OSError as e:
            self.reader.close()
            raise setting.refused(loaded.program, e) from e
        self._since = self._figures(setting.transport)

    # What is in use

    def _open(self, setting: Setting) -> Reader:
        reader = setting.open(self._schema.program)
        self._sizes[setting.transport] = setting.buffer
        return reader

    def configure(self, capture: Capture) -> None:
        """Put a capture filter in force. Not while ``changing``."""
        self.capture = capture
        self._store(self._comparison.reader if self._comparison else None)

    def _store(self, copies: Reader | None) -> None:
        assert self.capture is not None
        self._loaded.configure(self.setting.in_kernel(self.capture, copies))

    def watch(self, epoll: epoll) -> None:
        """Have *epoll* wait for the readers, also for those that come later."""
        self._epoll = epoll
        self._wait(self.reader.fds())

    def _wait(self, fds: Iterable[int]) -> None:
        if self._epoll is not None:
            for fd in fds:
                # Edge-triggered: a level would be high again, without any wake-up, at the first event after a drain.
                self._epoll.register(fd, EPOLLIN | EPOLLET)

    def _unwait(self, fds: Iterable[int]) -> None:
        if self._epoll is not None:
            for fd in fds:
                self._epoll.unregister(fd)

    def _close(self, reader: Reader) -> None:
        self._unwait(reader.fds())
        reader.close()

    def _readers(self) -> Iterator[tuple[Reader, Ledger]]:
        if self._handover:
            yield self._handover.old, self.ledger
            yield self._handover.new, self.ledger
        else:
            yield self.reader, self.ledger
        if self._comparison:
            yield self._comparison.reader, self._comparison.ledger

    @property
    def waiting(self) -> bool:
        """A buffer is as full as makes the kernel ask for a drain: half, by the timer, else at all."""
        timer = self.setting.wakeup == "timer"
        return any(reader.stats() >= (reader.size // 2 if timer else 1) for reader, _ in self._readers())

    def woken(self, fds: set[int]) -> bool:
        """The kernel woke the readers of *fds*; whether any of them is here."""
        ours = False
        for reader, ledger in self._readers():
            count = len(fds.intersection(reader.fds()))
            ledger.by[reader.transport].wakeups += count
            ours = ours or count > 0
        return ours

    def drain(self, audited: Counters | None) -> Batch:
        """What has arrived, entered in the ledger. *audited*: what the kernel had counted before."""
        over = self._handover is not None and self._handover.done  # nothing is written to the old one any more
        compared = self._step()
        parts = []
        self._ahead[:] = 0
        for reader, ledger in self._readers():
            began = time.thread_time_ns()
            drained = reader.drain()
            ledger.take(reader.transport, drained, time.clock_gettime_ns(time.CLOCK_MONOTONIC))
            ledger.by[reader.transport].reader_ns += time.thread_time_ns() - began
            if ledger is not self.ledger:
                continue
            rows = drained.batch.rows
            parts.append(drained.batch)
            if self._handover:
                self._handover.saw(reader, rows)
            if audited:
                ahead = rows["cpu"][rows["seq"] >= audited.seq[rows["cpu"]]]
                self._ahead[TRANSPORTS.index(reader.transport)] += np.bincount(ahead, minlength=self.ledger.cpus)
        if over:
            self._handed_over()
        if compared:
            self._compared()
        return concat(self._schema.program, parts)

    def stats(self, audited: Counters | None, late: int) -> list[stream.ProgramStats]:
        """The ledgers as of the last drain, if that was for an audit; else as they are, with what lies in buffers."""
        counters = audited or self._loaded.counters()
        missed = self._loaded.missed()
        damaged = sum(side.damaged for side in self.ledger.by.values())
        if damaged > self._damaged:
            self._tell("warning", f"{damaged - self._damaged:,} damaged records in a buffer were passed over")
            self._damaged = damaged
        told = []
        for transport in sorted(self._used, key=lambda t: t == self.setting.transport):
            side, in_use = self.ledger.by[transport], transport == self.setting.transport
            ahead = self._ahead[TRANSPORTS.index(transport)] if audited else None
            fill = int(np.sum(side.fill)) if audited else self.reader.stats()
            now = self._figures(transport, counters)
            told.append(
                stream.ProgramStats(
                    program=self._schema.program,
                    transport=transport,
                    cpus=self.ledger.cpu_stats(transport, counters, self._online, ahead, in_use),
                    fill=fill if in_use else 0,
                    capacity=self.reader.capacity if in_use else 0,
                    wakeups=side.wakeups,
                    latency_us=side.latency.tolist(),
                    missed=missed if in_use else 0,
                    late=late if in_use else 0,
                    now=self._since.until(now, self.reader, self.setting.wakeup) if in_use else None,
                )
            )
        return told

    def _figures(self, transport: Transport, counters: Counters | None = None) -> Figures:
        counters = counters or self._loaded.counters()
        return figures(self.ledger.by[transport], counters, TRANSPORTS.index(transport))

    def follow_cpus(self) -> None:
        """Perf buffers for the CPUs that are on now. Those of CPUs that were off for a moment the kernel has shut down
        (so does a suspend): their events find no reader."""
        now = online_cpus()
        unread = self._loaded.counters().by[:, TRANSPORTS.index("perfbuf") :, _NO_READER].sum(1)  # copies too
        dead = {cpu for cpu in np.flatnonzero(unread > self._unread).tolist() if cpu in self._online}
        if (now == self._online and not dead) or self.changing:
            return
        self._unread = unread
        for reader, _ in self._readers():
            if not self._followed(reader, now, dead):
                return  # another try, next time
        self._online = now
        self._refused_cpus = []

    def _followed(self, reader: Reader, now: list[int], dead: set[int]) -> bool:
        before = set(reader.fds())
        try:
            reader.follow(now, self._loaded.map_fd(reader.transport), dead)
        except OSError as e:
            if self._refused_cpus != now:  # told once
                self._tell("warning", f"a CPU that came has no perf buffer, and its events are lost: {e.strerror}")
            self._refused_cpus = now
            return False
        finally:
            self._unwait(before - set(reader.fds()))
            self._wait(set(reader.fds()) - before)
        return True

    def _tell(self, level: stream.Level, text: str) -> None:
        self.news.append(stream.Notice(level, text, self._schema.program))

    # Changes

    @property
    def changing(self) -> bool:
        """A change is under way; the next one has to wait."""
        return self._handover is not None or (self._comparison is not None and self._comparison.changing)

    @property
    def comparing(self) -> bool:
        """Copies go over the other transport."""
        return self._comparison is not None

    def _must_be_able(self, transport: str) -> None:
        if transport == "ringbuf" and self._no_ringbuf:
            raise CannotTrace("the ring buffer cannot be used", self._no_ringbuf, "The perf buffers stay in use.")

    def retune(self, asked: stream.Retune) -> None:
        """Begin a change. Not while ``changing``. Raises ValueError or CannotTrace, and then all stays as it is."""
        if self.comparing:
            raise ValueError("the transports are being compared: nothing can be changed until that is over")
        old = self.setting
        transport = OTHER[old.transport] if asked.transport == "other" else asked.transport or old.transport
        self._must_be_able(transport)
        buffer = asked.buffer_bytes or self._sizes[transport]
        self._next = Setting(transport, sizes.checked(buffer), asked.wakeup or old.wakeup)
        sizes.parse_wakeup(self._next.wakeup)
        if self._next == old:
            self._tell("info", f"it has {old.text} and wake-up mode {old.wakeup} already")
            return
        assert self.capture is not None
        new = self._open(self._next)
        self._wait(new.fds())
        self._lost_before = losses(self._loaded.counters())
        self._used.add(transport)  # from now on events may come over it, whatever comes of the change
        before, config = self.setting.in_kernel(self.capture), self._next.in_kernel(self.capture)
        self._handover = Handover(self._loaded, self.reader, new, before, config, self.ledger.next_seq)

    def _handed_over(self) -> None:
        handover, self._handover = self._handover, None
        assert handover is not None
        old, new = handover.old, handover.new
        try:
            handover.result()
        except OSError as e:
            self._close(new)
            self._tell("error", f"could not have {self._next.text}: {e.strerror}; {self.setting.text} stays in use")
            return
        counters = self._loaded.counters()
        before = self._since.until(self._figures(old.transport, counters), old, self.setting.wakeup)
        self._close(old)
        if old.transport != new.transport:
            self.ledger.by[old.transport].fill[:] = 0
        self.reader, self.setting = new, self._next
        self._since = self._figures(new.transport, counters)
        self.news.append(
            stream.Changed(
                program=self._schema.program,
                before=before,
                transport=new.transport,
                buffer_bytes=new.size,
                wakeup=self.setting.wakeup,
                ts_ns=handover.told_ns,
                took_ns=self._since.at_ns - handover.told_ns,
                in_flight=handover.in_flight,
                dropped=losses(counters) - self._lost_before,
                cpus=handover.cpus(),
            )
        )

    def compare(self, seconds: float) -> None:
        """Begin a comparison. Not while ``changing``. Raises ValueError or CannotTrace."""
        if self.comparing:
            raise ValueError("the transports are being compared already")
        if not 0 < seconds <= stream.MOST_SECONDS:
            raise ValueError(f"a comparison takes more than 0 and at most {stream.MOST_SECONDS} seconds")
        transport = OTHER[self.setting.transport]
        self._must_be_able(transport)
        reader = self._open(Setting(transport, self._sizes[transport], self.setting.wakeup))
        self._wait(reader.fds())
        self._comparison = Comparison(self._loaded, reader, self.ledger.cpus, seconds, self._store)

    def _step(self) -> bool:
        if self._comparison is None:
            return False
        try:
            return self._comparison.step(lambda: self._figures(self.setting.transport))
        except OSError as e:
            self._tell("error", f"the transports could not be compared: {e.strerror}")
            self._close(self._comparison.reader)
            self._comparison = None
            return False

    def _compared(self) -> None:
        comparison, self._comparison = self._comparison, None
        assert comparison is not None
        now = self._figures(self.setting.transport)
        self.news.append(comparison.result(self._schema.program, self.reader, now, self.setting.wakeup))
        self._close(comparison.reader)

    # The end

    def settle(self) -> None:
        """Finish what is under way; the next drain completes it."""
        if self._handover:
            with suppress(OSError):
                self._handover.result()
        if self._comparison and not self._comparison.settle():
            self._close(self._comparison.reader)
            self._comparison = None

    def close(self) -> None:
        """Free all buffers."""
        self.settle()
        for reader in [reader for reader, _ in self._readers()]:
            self._close(reader)
