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


Hear = Callable[[Entry], None]

_LEAST = 1 << 10
"""The least number of bytes that an entry counts."""


class Inbox:
    """Messages in order, at most *limit* bytes. Above the limit, the oldest events are discarded first, and counted."""

    def __init__(self, limit: int = 32 << 20) -> None:
        self._limit = limit
        self._hearing = threading.Lock()
        self._hearers: list[Hear] = []
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self._skipped: dict[str, int] = {}
        self.names = Names()
        """What the stream has told of numbers in its rows. A recording that goes back keeps it: it stays true."""
        self.posted_ns = 0
        """When the last message came, by the monotonic clock."""

    def post(self, item: Item) -> None:
        """Add *item*; may be called from any thread. A round that cannot be decoded becomes ``Lost``."""
        self.posted_ns = time.monotonic_ns()
        entry: Entry
        if isinstance(item, stream.Cgroups):
            stream.learn(item, self.names)
            return
        if isinstance(item, stream.Round):
            try:
                entry = arrived(item, self.names)
            except stream.StreamError as e:
                entry = Lost("damaged stream", str(e))
        else:
            entry = item
        with self._hearing:
            for hear in self._hearers:
                hear(entry)
            with self._lock:
                self._entries.append(entry)
                self._bytes += _size(entry)
                if self._bytes > self._limit:
                    self._shed()

    def listen(self, hear: Hear) -> list[Entry]:
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
    def paused(self) -> Iterator[list[Entry]]:
        """Let nothing be posted meanwhile; gives the entries that were posted and are not drained yet.

        Those who listen have then heard exactly what was drained and these entries.
        """
        with self._hearing:
            with self._lock:
                waiting = list(self._entries)
            yield waiting

    def drain(self) -> Iterator[Entry]:
        """Yield and remove the entries that have arrived, oldest first. When the caller stops early, the rest stays."""
        while True:
            with self._lock:
                if self._skipped:
                    program, rows = self._skipped.popitem()
                    entry: Entry = Skipped(program, rows)
                elif self._entries:
                    entry = self._entries.popleft()
                    self._bytes -= _size(entry)
                else:
                    return
            yield entry

    def clear(self) -> None:
        """Remove everything, for a new start."""
        with self._lock:
            self._entries.clear()
            self._skipped.clear()
            self._bytes = 0

    def _shed(self) -> None:
        """Discard the oldest rounds until the rest fits. Other messages are few and stay, but of a flood only the
        newest."""
        kept: deque[Entry] = deque()
        while self._entries and self._bytes > self._limit:
            entry = self._entries.popleft()
            if isinstance(entry, Arrived):
                self._bytes -= _size(entry)
                for batch in entry.batches:
                    self._skipped[batch.program] = self._skipped.get(batch.program, 0) + len(batch)
            else:
                kept.append(entry)
        if self._bytes > self._limit:
            while kept and self._bytes > self._limit // 2:
                self._bytes -= _size(kept.popleft())
        kept.extend(self._entries)
        self._entries = kept


def _size(entry: Entry) -> int:
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
