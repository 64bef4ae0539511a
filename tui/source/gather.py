"""Joins the messages of several hosts: many small rounds become a few large ones, so that 200 hosts cost little more
than one."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain

import numpy as np

from ringtop.bpf.event.batch import Batch, concat
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.source.hosts import Place
from ringtop.tui.source.inbox import Arrived, Entry, Heard, Inbox, entry_of, size
from ringtop.tui.source.source import Item, Post

REST_S = 0.2
"""Seconds between two looks at what has come: few large rounds cost less than many."""
ROUND_BYTES = 4 << 20
"""A joined round is closed from this size on: the viewer takes it at once, and keys wait meanwhile."""
MOST_ROUNDS = 16
"""The most joined rounds of one look, so that nobody can make many tiny ones of them."""
LEAST_BYTES = 256 << 10
"""The least limit of an inbox, however many there are."""


class Gather:
    """Moves what comes from *hosts* into *inbox*: all events that arrived meanwhile as one round, in time order.

    Each host has an inbox of its own with its share of *limit*. While *inbox* is full, nothing is moved, and so a host
    that sends too much loses only its own events.
    """

    def __init__(self, inbox: Inbox, hosts: Iterable[int], limit: int) -> None:
        numbers = list(hosts)
        share = max(LEAST_BYTES, limit // len(numbers))
        self.inboxes = {host: Inbox(share) for host in numbers}
        self.places = {host: Place(host) for host in numbers}
        self._inbox = inbox
        self._held: dict[int, Entry] = {}
        """For each host, the entry that did not fit into the last round; the next round begins with it."""
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to move, in a thread."""
        self._thread = threading.Thread(target=self._run, name="gather", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Move what is left, and end the thread."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()

    def post(self, host: int) -> Post:
        """Discard what still waits from an earlier run of *host*'s source, and return what its next run posts to."""
        with self._lock:
            self._held.pop(host, None)
            self.inboxes[host].clear()
        self.places[host] = place = Place(host)
        return partial(self._post, self.inboxes[host], place)

    def _post(self, inbox: Inbox, place: Place, item: Item) -> None:
        """Add *item* to *inbox*, with the number of its host and by one clock."""
        place.hear(item)
        entry = entry_of(item, self._inbox.names, place.number)
        if entry is not None:
            inbox.put(place.ours(entry))

    def _run(self) -> None:
        while not self._end.wait(REST_S):
            self.move()
        self.move()

    def move(self) -> None:
        """Move what has come."""
        for _ in range(MOST_ROUNDS):
            if self._inbox.full or not self._round():
                return

    def _round(self) -> bool:
        """Move one round, and what the hosts said after it; returns whether there is more.

        What came after something that is no round waits for the next round, so that the order within a host stays.
        """
        batches: dict[str, list[Batch]] = {}
        said: list[Heard] = []
        drained_ns = moved = 0
        with self._lock:
            for host in self.inboxes:
                spoke = False
                for entry in self._waiting(host):
                    if moved > ROUND_BYTES or (spoke and isinstance(entry, Arrived)):
                        self._held[host] = entry
                        break
                    moved += size(entry)
                    if isinstance(entry, Arrived):
                        drained_ns = max(drained_ns, entry.drained_ns)
                        for batch in entry.batches:
                            batches.setdefault(batch.program, []).append(batch)
                    else:
                        said.append((entry, host))
                        spoke = True
            # The hosts take turns at being first: the last one gets what room is left.
            first = next(iter(self.inboxes))
            self.inboxes[first] = self.inboxes.pop(first)
        if drained_ns:
            self._inbox.put(Arrived(tuple(joined(p, batches[p]) for p in SCHEMAS if p in batches), drained_ns), 0)
        for entry, host in said:
            self._inbox.put(entry, host)
        return bool(self._held)

    def _waiting(self, host: int) -> Iterator[Entry]:
        held = [self._held.pop(host)] if host in self._held else []
        return chain(held, (entry for entry, _ in self.inboxes[host].drain()))


def joined(program: str, parts: list[Batch]) -> Batch:
    """The events of *parts*, all of *program*, in time order."""
    whole = concat(program, parts)
    return whole.take(np.argsort(whole.rows["ts"], kind="stable")) if len(parts) > 1 else whole
