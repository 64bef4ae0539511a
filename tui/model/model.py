"""The model holds everything the screen shows and follows the inbox. It runs in one thread and knows no widgets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from ringtop.bpf import stream
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.model.machine import Machine
from ringtop.tui.model.store import DEFAULT_BYTES, Store
from ringtop.tui.model.wall import Wall
from ringtop.tui.source.inbox import Arrived, Entry, Skipped
from ringtop.tui.source.source import Rewound


class Model:
    """The history, and the machine that it comes from."""

    def __init__(
        self,
        programs: Iterable[str] = tuple(SCHEMAS),
        budget: int = DEFAULT_BYTES,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.store = Store(programs, budget)
        self.machine = Machine(self.store, monotonic_ns)
        self.wall = Wall()
        self.arrivals = 0
        """Messages taken so far; while this stays the same, so does everything shown."""
        self._monotonic_ns = monotonic_ns
        self._drained: tuple[int, int] | None = None

    @property
    def programs(self) -> list[str]:
        """The programs that have a table, in order."""
        return list(self.store.tables)

    @property
    def now_ns(self) -> int:
        """The traced kernel's clock now, in ns: its value at the last drain plus the time passed here since."""
        if self._drained is None:
            return self._monotonic_ns()
        there, here = self._drained
        passed = self._monotonic_ns() - here if self.machine.contact.phase == "running" else 0
        return there + passed

    def take(self, entry: Entry) -> None:
        """Take in one entry."""
        self.arrivals += 1
        match entry:
            case Arrived():
                for batch in entry.batches:
                    self.store.append(batch)
                self._drained = (entry.drained_ns, self._monotonic_ns())
                return
            case Skipped():
                if (table := self.store.tables.get(entry.program)) is not None:
                    table.skip(entry.rows)
                return
            case Rewound():
                self.rewind()
                return
            case stream.Stats():
                self.wall.set(entry.wall_offset_ns, entry.ts_ns)
            case stream.Hello():
                self.wall.begin(entry.wall_offset_ns)
        self.machine.take(entry)

    def rewind(self) -> None:
        """Forget rows, counters and states; the hello stays."""
        self.store.clear()
        self.machine.rewind()
        self._drained = None
