"""Selects the events that the ranked rows count, and folds them by another key.

Without a display filter these are all events; with one, the matching resident events, and then the new ones.
"""

from __future__ import annotations

import asyncio
import threading

from ringtop.bpf import filter as language
from ringtop.tui.model.store import Store
from ringtop.tui.source.inbox import Arrived, Entry, Heard, Inbox
from ringtop.tui.source.source import Rewound
from ringtop.tui.top.keys import Key
from ringtop.tui.top.ranking import Ranking
from ringtop.tui.top.top import Top

_STEP = 8_192
"""The number of rows folded in one step; the screen can be painted between two steps."""
_TYPING_S = 0.1
"""The wait in seconds before a recount: a filter that is still being typed is not worth the work."""


class Refold:
    """Recounts events with a display filter, and keeps counting with it until the next one.

    *whole* counts all events all the time.
    """

    def __init__(self, whole: Top, inbox: Inbox, store: Store) -> None:
        self.whole = whole
        self._inbox, self._store = inbox, store
        self._behind: _Behind | None = None
        inbox.listen(whole.hear)

    def stop(self) -> None:
        """Stop counting with a filter."""
        if self._behind is not None:
            self._inbox.unlisten(self._behind.hear)
            self._behind = None

    async def filter(self, expr: language.Expr) -> Top:
        """The top that counts the events matching *expr*: the resident ones, and all new ones."""
        self.stop()
        if expr == language.ALL:
            return self.whole
        await asyncio.sleep(_TYPING_S)
        self._behind = behind = _Behind(self.whole.behind(expr))
        waiting = self._inbox.listen(behind.hear)
        kept = [(table.ring, table.ring.end) for table in self._store.tables.values()]  # later ones are heard
        for ring, end in kept:
            at = ring.first
            while (at := max(at, ring.first)) < end:
                rows = ring.slice(at, min(at + _STEP, end))
                await asyncio.to_thread(behind.top.take, rows)
                at += _STEP
        await asyncio.to_thread(behind.catch_up, waiting)
        return behind.top

    def fold(self, ranking: Ranking, key: Key) -> None:
        """Fold the events of *ranking* by *key*.

        The new rows count the resident events, those that wait in the inbox, and all new ones.
        """
        with self._inbox.paused() as waiting:
            rings = [table.ring for table in self._store.tables.values()]
            past = [ring.slice(ring.first, ring.end) for ring in rings]
            for entry, _ in waiting:
                if isinstance(entry, Rewound):
                    past.clear()
                elif isinstance(entry, Arrived):
                    past += entry.batches
            ranking.fold(key, past)


class _Behind:
    """Takes new entries, and holds them back until all earlier events are folded."""

    def __init__(self, top: Top) -> None:
        self.top = top
        self._lock = threading.Lock()
        self._held: list[Heard] | None = []

    def hear(self, entry: Entry, host: int) -> None:
        """Take an entry of *host* that was posted to the inbox."""
        with self._lock:
            if self._held is None:
                self.top.hear(entry, host)
            else:
                self._held.append((entry, host))

    def catch_up(self, waiting: list[Heard]) -> None:
        """Fold *waiting*, then the entries that were held back."""
        with self._lock:
            for entry, host in (*waiting, *(self._held or ())):
                self.top.hear(entry, host)
            self._held = None
