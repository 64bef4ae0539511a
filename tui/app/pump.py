"""The pump takes messages and scans and sorts rows in slices, which leave time for keys between them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from ringtop.tui.model.model import Model
from ringtop.tui.model.view import View
from ringtop.tui.source.inbox import Hear, Inbox

SLICE_S = 0.005
"""The longest slice of work between two looks at the keyboard, in seconds: other tasks must not wait for a CPU longer
than that, either."""
PAUSE_S = 0.002
"""The pause between two slices, in seconds."""
RESORT_S = 1.0
"""The least time between two sorts of a table that follows new rows, in seconds."""


class Pump:
    """Moves messages from the inbox to the model, its views and the screen."""

    def __init__(
        self,
        inbox: Inbox,
        model: Model,
        views: list[View],
        hear: Hear,
        paint: Callable[[], None],
        frame_s: float,
    ) -> None:
        """*hear* gets each message after the model has taken it; *paint* shows the model, at least every *frame_s*."""
        self._inbox, self._model, self._views = inbox, model, views
        self._hear, self._paint = hear, paint
        self._frame_s = frame_s
        self._working = self._wanted = False
        self._painted = 0.0
        self._sorted: dict[str, float] = {}

    @property
    def busy(self) -> bool:
        """Whether messages or rows are being processed."""
        return self._working or self._wanted

    async def work(self) -> None:
        """Take messages, scan, sort, paint, until there is nothing more to do."""
        self._wanted = True
        if self._working:
            return
        self._working = True
        try:
            while self._wanted:
                self._wanted = False
                while self._slice():
                    if time.monotonic() - self._painted > self._frame_s:
                        self._show()
                    await asyncio.sleep(PAUSE_S)
                await self._sort()
            self._show()
        finally:
            self._working = False

    def _show(self) -> None:
        self._painted = time.monotonic()
        self._paint()

    def _slice(self) -> bool:
        """Do one slice of work; returns whether there is more."""
        until = time.monotonic() + SLICE_S
        late = False
        for entry, host in self._inbox.drain():
            self._model.take(entry, host)
            self._hear(entry, host)
            if late := time.monotonic() > until:
                break
        for view in self._views:
            if view.table is not (table := self._model.store.tables[view.table.program]):
                view.replace(table)
        # Scan even when late: if messages come as fast as they are taken, no row would ever be shown otherwise.
        while sum(view.scan() for view in self._views):
            if time.monotonic() > until:
                return True
        return late

    async def _sort(self) -> None:
        now = time.monotonic()
        for view in self._views:
            program = view.table.program
            if view.frozen and view.sorted_by == view.sort:
                continue
            if view.sort == view.sorted_by and (view.sort is None or now - self._sorted.get(program, 0.0) < RESORT_S):
                continue
            self._sorted[program] = now
            if (job := view.resort()) is not None:
                view.sorted(await asyncio.to_thread(job))
