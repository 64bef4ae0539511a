"""A run on several hosts without a screen: the common part of ``trace --host`` and ``top --host``."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Protocol

from ringtop.bpf import stream
from ringtop.bpf.common.errors import CANNOT_TRACE
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.names import Names
from ringtop.tui.cli.ending import when_told, when_unheard
from ringtop.tui.cli.leaving import Leaving
from ringtop.tui.cli.patience import Patience
from ringtop.tui.lines import summary as ledger
from ringtop.tui.source import hosts
from ringtop.tui.source.hosts import APART_NS, Place
from ringtop.tui.source.inbox import Arrived, Entry, entry_of
from ringtop.tui.source.source import Item, Lost, Source
from ringtop.tui.text.format import duration
from ringtop.tui.text.say import say
from ringtop.tui.text.text import safe

_REST_S = 0.05
"""Seconds between two looks at what has come."""
_LOOK_S = 0.2
"""Seconds between two looks at whether the end is due when nothing comes."""
_WAITING = 8
"""Most messages of a host that wait to be taken. What comes after them waits there, where drops are counted."""
_LEAVES_S, _MOST_S = 1.5, 5.0
"""Seconds without a message after which hosts that were asked to end are left, and seconds after which they are in any
case."""


class HostSource(Source, Protocol):
    """A source with the name of its host."""

    host: str


class Connection:
    """What one connection to a host has told."""

    def __init__(self) -> None:
        self.states: dict[str, stream.State] = {}
        self.stats: stream.Stats | None = None
        self.changes: list[stream.Changed | stream.Compared] = []
        self.why = "it is not over"
        """Why the ledger is not complete; empty when it is."""

    def summary(self) -> dict[str, Any]:
        """The ledger."""
        return ledger.summarize(self.stats, self.states, self.changes) if self.stats is not None else {}


class Host:
    """One of the hosts."""

    def __init__(self, number: int, source: HostSource) -> None:
        self.source, self.name = source, safe(source.host)
        self.place = Place(number)
        self.connections: list[Connection] = []
        self.up = False
        """Whether it is connected."""
        self.away = False
        """Whether its connection was lost, or could not be made."""
        self.settled = False
        """Whether each of its programs runs or has failed, or the connection was lost."""
        self.over = False
        """Whether no more messages will come from it."""
        self.warned = False
        self.hello: stream.Hello | None = None
        self.waiting: deque[Entry] = deque()

    def says(self, text: str) -> str:
        """Untrusted *text* of one or more lines, as the host's: what it says cannot pass for another's."""
        return f"{self.name}: " + text.replace("\n", "\n  ")


class Hosts:
    """All of them: their messages in turn, so that none waits for another."""

    def __init__(self, sources: Sequence[HostSource]) -> None:
        self.hosts = [Host(number, source) for number, source in enumerate(sources, 1)]
        self.names = Names()
        self.names.hosts |= {host.place.number: host.source.host.encode() for host in self.hosts}
        self._came = threading.Condition()
        self._closed = False

    def start(self) -> None:
        """Connect to all."""
        for host in self.hosts:
            host.source.start(partial(self._post, host))

    def send(self, control: stream.Control) -> None:
        """Send *control* to all."""
        for host in self.hosts:
            host.source.send(control)

    def close(self, patience: float = 0) -> int:
        """Leave all that are not over."""
        with self._came:
            self._closed = True
            self._came.notify_all()
        hosts.stop([host.source for host in self.hosts if not host.over])
        return 0

    def messages(self) -> Iterator[list[tuple[Host, Entry]]]:
        """Wait for messages and yield those that wait, without end; now and then an empty list when none comes."""
        while True:
            with self._came:
                self._came.wait_for(lambda: any(host.waiting for host in self.hosts), _LOOK_S)
            time.sleep(_REST_S)  # so that a few large steps take the place of many small ones
            with self._came:
                found = [(host, item) for host in self.hosts for item in host.waiting]
                for host in self.hosts:
                    host.waiting.clear()
                self._came.notify_all()
            yield found

    def _post(self, host: Host, item: Item) -> None:
        place = host.place
        place.hear(item)
        entry = entry_of(item, self.names, place.number)
        if entry is None:
            return
        entry = place.ours(entry)
        with self._came:
            self._came.wait_for(lambda: len(host.waiting) < _WAITING or self._closed)
            if not self._closed:
                host.waiting.append(entry)
                self._came.notify_all()


class HostsRun(Leaving):
    """Reads several hosts until they end. Commands override ``events``, ``hear``, ``begun`` and ``finish``."""

    def __init__(
        self, sources: Sequence[HostSource], programs: Sequence[str], duration: float | None = None, quiet: bool = False
    ) -> None:
        self.all = Hosts(sources)
        super().__init__(self.all, quiet)
        self.patience = Patience(lambda silence: None, self.all.close, self._give_up)  # each source tells of its own
        self._programs, self._duration = programs, duration
        self._begun = False
        self._leaves = self._at_last = 0.0
        self._leaving = threading.Event()

    def events(self, batches: list[Batch], now_ns: int) -> None:
        """Called with events, at most one batch of a host and round each. Raises CannotWrite."""

    def hear(self, host: Host, message: Entry) -> None:
        """Called with each other message of a connected host. Raises CannotWrite."""

    def begun(self) -> None:
        """Called once every host has said how it is there."""

    def finish(self) -> int:
        """Called at the end; returns the exit status if all is well."""
        return 0

    def run(self, reader: int) -> int:
        """Run until all hosts have ended and return the exit status. A signal, or the loss of the reader of the file
        descriptor *reader*, asks them to. Raises CannotWrite from the methods that commands override."""
        when_told(self.told)
        when_unheard(reader, self.hurry)
        self.patience.start()
        try:
            self.all.start()
            for came in self.all.messages():
                if came:
                    self.patience.heard()
                    with self.patience.writing():
                        self._take(came)
                if self._is_over(bool(came)):
                    break
            self.patience.ended = True
            return self._finish()
        finally:
            self.all.close()
            self.patience.stop()

    def stop(self) -> None:
        """Ask all hosts to end."""
        self._leaving.set()
        super().stop()

    def hurry(self) -> None:
        """The same, for a user who does not wait."""
        self._leaving.set()
        super().hurry()

    def _is_over(self, came: bool) -> bool:
        if not self._leaving.is_set():
            # Without a host that ever answered there is nothing to wait for.
            return all(host.over or (host.settled and not host.connections) for host in self.all.hosts)
        now = time.monotonic()
        self._at_last = self._at_last or now + _MOST_S
        if came or not self._leaves:
            self._leaves = min(now + _LEAVES_S, self._at_last)
        return now >= self._leaves or not any(host.up for host in self.all.hosts)

    def _take(self, came: list[tuple[Host, Entry]]) -> None:
        batches: list[Batch] = []
        now_ns = 0
        for host, item in came:
            if isinstance(item, Arrived):
                batches += [batch for batch in item.batches if batch.program in self._programs]
                now_ns = max(now_ns, item.drained_ns)
            else:
                self._hear(host, item)
        if batches:
            self.events(batches, now_ns)
        if not self._begun and all(host.settled for host in self.all.hosts):
            self._begun = True
            self.begun()
            if self._duration:
                self.later(self._duration, self.stop)

    def _hear(self, host: Host, message: Entry) -> None:
        match message:
            case stream.Hello():
                if host.away:
                    self.tell(f"{host.name}: it is back" if host.connections else f"{host.name}: it answers now")
                host.connections.append(Connection())
                host.up, host.away, host.hello = True, False, message
            case Lost():
                self._lost(host, message)
            case stream.Notice():
                self.tell(host.says(message.text))
        if host.up:
            self.hear(host, message)
            self._told(host, host.connections[-1], message)

    def _told(self, host: Host, told: Connection, message: Entry) -> None:
        match message:
            case stream.State():
                if message.state == "failed":
                    say(host.says(message.reason))
                if message.scope and message.program not in told.states:
                    self.tell(f"{host.name}: {message.program}: only {safe(message.scope)}")
                told.states[message.program] = message
                host.settled = host.settled or set(self._programs) <= set(told.states)
            case stream.Stats():
                told.stats = message
                self._compare_clocks(host)
            case stream.Changed() | stream.Compared():
                told.changes.append(message)
            case stream.End() if self._leaving.is_set():
                told.why = ""
                host.up = False
                host.over = True
            case stream.End():
                told.why = "it ended by itself"

    def _lost(self, host: Host, lost: Lost) -> None:
        if host.up:
            host.connections[-1].why = lost.reason
        told, host.away = host.away, True
        host.up, host.settled, host.over = False, True, not lost.again_s
        if told and lost.again_s:
            return  # it is still away
        again = "It is tried again and again." if lost.again_s and any(h.up for h in self.all.hosts) else ""
        say(host.says("\n".join(filter(None, (safe(lost.reason), lost.detail, again)))))

    def _compare_clocks(self, host: Host) -> None:
        apart, error = host.place.apart_ns, host.place.error_ns
        if apart is not None and abs(apart) > APART_NS + error and not host.warned:
            host.warned = True
            how = "ahead of" if apart > 0 else "behind"
            self.tell(f"{host.name}: its clock is {duration(abs(apart))} (±{duration(error)}) {how} this machine's")

    def summaries(self) -> dict[str, Any]:
        """The ledgers: ``{host: [{complete, why, programs}, …]}``, one for each connection. For people, they are also
        printed."""
        found: dict[str, Any] = {}
        for host in self.all.hosts:
            for told in host.connections:
                for line in ledger.lines(told.summary()):
                    until = f" (until: {safe(told.why)})" if told.why else ""
                    self.tell(f"{host.name}: {line}{until}")
            found[host.source.host] = [
                {"complete": not told.why, "why": told.why, "programs": told.summary()} for told in host.connections
            ]
        return found

    def balanced(self) -> bool:
        """Whether every host was read to its end without a break, and lost nothing."""
        return all(
            len(host.connections) == 1
            and not host.connections[0].why
            and ledger.balanced(host.connections[0].summary())
            for host in self.all.hosts
        )

    def _finish(self) -> int:
        status = self.finish()
        if not any(host.connections for host in self.all.hosts):
            return CANNOT_TRACE
        missing = [host for host in self.all.hosts if not host.connections or host.connections[-1].why]
        failed = any(s.state == "failed" for h in self.all.hosts for c in h.connections for s in c.states.values())
        return 1 if (missing or failed) and not status else status
