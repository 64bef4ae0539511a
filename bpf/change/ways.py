"""The ways that a program's events take: the one that is in use, and during a change or a comparison a second one."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from select import EPOLLET, EPOLLIN, epoll

from ringtop.bpf.common.clock import now_ns
from ringtop.bpf.common.transports import TRANSPORTS, Transport
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.kernel.layout import COPIES, Counters
from ringtop.bpf.ledger.ledger import Ledger, Received
from ringtop.bpf.ledger.period import Figures, figures
from ringtop.bpf.stream import Period
from ringtop.bpf.transport.reader import Reader
from ringtop.bpf.transport.setting import Setting

Open = Callable[[Setting], Reader]
"""Opens the buffers of a setting. Raises CannotTrace."""


class Way:
    """A *reader* and its *setting*, with the *ledger* in which its events are entered. *copies* means that its events
    are copies of those that take another way. Its period begins with *counters*, as the kernel has them now."""

    def __init__(self, setting: Setting, reader: Reader, ledger: Ledger, counters: Counters, copies: bool) -> None:
        self.setting, self.reader, self.ledger, self.copies = setting, reader, ledger, copies
        self.begin(counters)

    @property
    def transport(self) -> Transport:
        """The transport of its setting."""
        return self.setting.transport

    @property
    def received(self) -> Received:
        """The totals of its transport, including what came over earlier ways of the same transport."""
        return self.ledger.by[self.transport]

    @property
    def due(self) -> bool:
        """Whether so much waits that the kernel asks for a drain: half a buffer with the timer, anything in the other
        modes."""
        return self.reader.stats() >= (self.reader.size // 2 if self.setting.wakeup == "timer" else 1)

    def drain(self) -> Batch:
        """Take the events that have arrived, and enter them in the ledger."""
        began = time.thread_time_ns()
        drained = self.reader.drain()
        self.ledger.take(self.transport, drained, now_ns())
        self.received.reader_ns += time.thread_time_ns() - began
        return drained.batch

    def begin(self, counters: Counters) -> None:
        """Begin its period now."""
        self._since = self.figures(counters)

    def figures(self, counters: Counters) -> Figures:
        """Its figures now."""
        return figures(self.received, counters, COPIES if self.copies else TRANSPORTS.index(self.transport))

    def period(self, counters: Counters, since: Figures | None = None) -> Period:
        """Its period: from where it began, or from *since*, until now."""
        return (since or self._since).until(self.figures(counters), self.reader, self.setting.wakeup)


class Ways:
    """All ways that are being read, in the order they were opened. The first one has *setting*; *open* opens its
    buffers. Raises CannotTrace."""

    def __init__(self, open: Open, setting: Setting, counters: Counters) -> None:
        self.ledger = Ledger(len(counters.seq))
        """The ledger of the events that are shown: all but copies."""
        self.opened: set[Transport] = set()
        """Transports over which events may have come, now or before."""
        self._open = open
        self._ways: list[Way] = []
        self._epoll: epoll | None = None
        self.used = self.open(setting, counters)
        """The way in use; during a handover, the old one."""

    def __iter__(self) -> Iterator[Way]:
        return iter(self._ways)

    def open(self, setting: Setting, counters: Counters, copies: bool = False) -> Way:
        """Open another way, which is read from now on. Raises CannotTrace."""
        ledger = Ledger(self.ledger.cpus) if copies else self.ledger
        way = Way(setting, self._open(setting), ledger, counters, copies)
        self._ways.append(way)
        if not copies:
            self.opened.add(way.transport)
        self._wait(way.reader.fds())
        return way

    def use(self, way: Way, counters: Counters) -> None:
        """Make *way* the one in use, and begin its period."""
        way.begin(counters)
        self.used = way

    def close(self, way: Way) -> None:
        """Stop reading *way*, and free its buffers."""
        self._ways.remove(way)
        self._unwait(way.reader.fds())
        way.reader.close()

    def watch(self, epoll: epoll) -> None:
        """Register the readers with *epoll*, and later those of ways that are opened then."""
        self._epoll = epoll
        for way in self:
            self._wait(way.reader.fds())

    def follow(self, way: Way, online: list[int], map_fd: int, dead: Collection[int]) -> None:
        """Give *way* a buffer for each CPU of *online*, and new ones for the *dead*. Raises OSError."""
        before = set(way.reader.fds())
        try:
            way.reader.follow(online, map_fd, dead)
        finally:
            after = set(way.reader.fds())
            self._unwait(before - after)
            self._wait(after - before)

    def _wait(self, fds: Iterable[int]) -> None:
        if self._epoll is not None:
            for fd in fds:
                # Edge-triggered: a level would be ready again at the first event after a drain, without any wakeup.
                self._epoll.register(fd, EPOLLIN | EPOLLET)

    def _unwait(self, fds: Iterable[int]) -> None:
        if self._epoll is not None:
            for fd in fds:
                self._epoll.unregister(fd)

    @property
    def due(self) -> bool:
        """Whether so much waits in one of the ways that the kernel asks for a drain."""
        return any(way.due for way in self)

    def woken(self, fds: set[int]) -> bool:
        """Count the wakeups by the ready *fds*. Returns whether there were any."""
        ours = False
        for way in self:
            count = len(fds.intersection(way.reader.fds()))
            way.received.wakeups += count
            ours = ours or count > 0
        return ours
