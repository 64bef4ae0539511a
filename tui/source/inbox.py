"""The inbox: the bounded queue between the thread that reads messages and the timer that shows them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ringtop.bpf import stream
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.names import Names
from ringtop.tui.source.source import Item, Lost, Rewound


@dataclass(frozen=True, slots=True)
class Arrived:
    """A ``Round``, decoded."""

    batches: tuple[Batch, ...]
    drained_ns: int


def arrived(item: stream.Round, names: Names) -> Arrived:
    """Decode *item*, of a stream that has told *names*. Raises StreamError."""
    return Arrived(tuple(stream.batch(rows, names) for rows in item.batches if rows.rows), item.drained_ns)


@dataclass(frozen=True, slots=True)
class Skipped:
    """Events that arrived faster than the viewer took them and were discarded before they reached the history."""

    program: str
    rows: int


Entry = (
    Arrived
    | Skipped
    | stream.Hello
    | stream.Progress
    | stream.State
    | stream.Stats
    | stream.Notice
    | stream.End
    | stream.Changed
    | stream.Compared
    | stream.Costs
    | Lost
    | Rewound
)


def entry_of(item: Item, names: Names, host: int = 0) -> Entry | None:
    """*item*, decoded; a round that cannot be decoded becomes ``Lost``. What it tells of control groups of *host* goes
    into *names*: that is no entry."""
    if isinstance(item, stream.Cgroups):
        stream.learn(item, names, host)
        return None
    if not isinstance(item, stream.Round):
        return item
    try:
        return arrived(item, names)
    except stream.StreamError as e:
        return Lost("damaged stream", str(e))


Heard = tuple[Entry, int]
"""An entry and the number of its host (``host`` in rows): 0 where there is one source, and for rounds of several."""
Hear = Callable[[Entry, int], None]
"""Takes an entry and the number of its host."""

_LEAST = 1 << 10
"""The least number of bytes that an entry counts."""


class Inbox:
    """Messages in order, at most *limit* bytes. Above the limit, the oldest events are discarded first, and counted."""

    def __init__(self, limit: int = 32 << 20) -> None:
        self._limit = limit
        self._hearing = threading.Lock()
        self._hearers: list[Hear] = []
        self._lock = threading.Lock()
        self._entries: deque[Heard] = deque()
        self._bytes = 0
        self._skipped: dict[str, int] = {}
        self.names = Names()
        """What the stream has told of numbers in its rows. A recording that goes back keeps it: it stays true."""
        self.posted_ns = 0
        """When the last message came, by the monotonic clock."""

    def post(self, item: Item) -> None:
        """Add *item*; may be called from any thread."""
        if (entry := entry_of(item, self.names)) is not None:
            self.put(entry)

    @property
    def full(self) -> bool:
        """Whether half of the limit is reached: it is time to drain."""
        return self._bytes > self._limit // 2

    def put(self, entry: Entry, host: int = 0) -> None:
        """Add *entry* of the *host* with this number; may be called from any thread."""
        self.posted_ns = time.monotonic_ns()
        with self._hearing:
            for hear in self._hearers:
                hear(entry, host)
            with self._lock:
                self._entries.append((entry, host))
                self._bytes += size(entry)
                if self._bytes > self._limit:
                    self._shed()

    def listen(self, hear: Hear) -> list[Heard]:
        """Call *hear* with every entry from now on, in the thread that posts it and before anything is discarded.

        Return the entries that were posted before and are not drained yet.
        """
        with self._hearing, self._lock:
            self._hearers.append(hear)
            return list(self._entries)

    def unlisten(self, hear: Hear) -> None:
        """Stop calling *hear*."""
        with self._hearing:
            self._hearers.remove(hear)

    @contextmanager
    def paused(self) -> Iterator[list[Heard]]:
        """Let nothing be posted meanwhile; gives the entries that were posted and are not drained yet.

        Those who listen have then heard exactly what was drained and these entries.
        """
        with self._hearing:
            with self._lock:
                waiting = list(self._entries)
            yield waiting

    def drain(self) -> Iterator[Heard]:
        """Yield and remove the entries that have arrived, oldest first. When the caller stops early, the rest stays."""
        while True:
            with self._lock:
                if self._skipped:
                    program, rows = self._skipped.popitem()
                    heard: Heard = Skipped(program, rows), 0
                elif self._entries:
                    heard = self._entries.popleft()
                    self._bytes -= size(heard[0])
                else:
                    return
            yield heard

    def clear(self) -> None:
        """Remove everything, for a new start."""
        with self._lock:
            self._entries.clear()
            self._skipped.clear()
            self._bytes = 0

    def _shed(self) -> None:
        """Discard the oldest rounds until the rest fits. Other messages are few and stay, but of a flood only the
        newest."""
        kept: deque[Heard] = deque()
        while self._entries and self._bytes > self._limit:
            entry, host = self._entries.popleft()
            if isinstance(entry, Arrived):
                self._bytes -= size(entry)
                for batch in entry.batches:
                    self._skipped[batch.program] = self._skipped.get(batch.program, 0) + len(batch)
            else:
                kept.append((entry, host))
        if self._bytes > self._limit:
            while kept and self._bytes > self._limit // 2:
                self._bytes -= size(kept.popleft()[0])
        kept.extend(self._entries)
        self._entries = kept


def size(entry: Entry) -> int:
    """The bytes that *entry* counts."""
    match entry:
        case Arrived():
            return _LEAST + sum(b.rows.nbytes + len(b.tails) for b in entry.batches)
        case stream.Stats():
            return _LEAST * (1 + sum(len(p.cpus) for p in entry.programs))
        case stream.Costs():
            return _LEAST * (1 + len(entry.functions) + len(entry.maps))
        case stream.State():
            texts = (entry.reason, entry.without, entry.no_core, *entry.tried)
            return _LEAST + sum(map(len, texts))
        case stream.Notice() | stream.Progress():
            return _LEAST + len(entry.text)
    return _LEAST
