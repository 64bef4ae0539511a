"""The model holds everything the screen shows and follows the inbox. It runs in one thread and knows no widgets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from ringtop.bpf import stream
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.model.machine import Machine
from ringtop.tui.model.store import DEFAULT_BYTES, Store
from ringtop.tui.model.wall import Wall
from ringtop.tui.source.inbox import Arrived, Entry
from ringtop.tui.source.source import Rewound


class Model:
    """The history, and the machines that it comes from."""

    def __init__(
        self,
        programs: Iterable[str] = tuple(SCHEMAS),
        budget: int = DEFAULT_BYTES,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        hosts: Mapping[int, str] | None = None,
    ) -> None:
        """*hosts*: the names of several machines by their numbers in rows."""
        self.store = Store(programs, budget)
        self.hosts = dict(hosts or {})
        self.machines = {n: Machine(self.store, monotonic_ns, n, self.hosts.get(n, "")) for n in self.hosts or (0,)}
        """The machines by their numbers in rows."""
        self.machine = next(iter(self.machines.values()))
        """The machine whose ledger, settings and buffers are shown."""
        self.steers_all = True
        """Whether such keys act on all machines, not only on the one whose ledger is shown."""
        self.wall = Wall()
        self.arrivals = 0
        """Messages taken so far; while this stays the same, so does everything shown."""
        self._monotonic_ns = monotonic_ns
        self._drained: tuple[int, int] | None = None

    @property
    def live(self) -> bool:
        """Whether messages come from collectors."""
        return self.machine.live

    @live.setter
    def live(self, live: bool) -> None:
        for machine in self.machines.values():
            machine.live = live

    @property
    def targets(self) -> list[Machine]:
        """The machines that the keys act on which change collectors."""
        return list(self.machines.values()) if self.steers_all else [self.machine]

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
        running = any(machine.contact.phase == "running" for machine in self.machines.values())
        return there + (self._monotonic_ns() - here if running else 0)

    def take(self, entry: Entry, host: int = 0) -> None:
        """Take in one entry of the *host* with this number."""
        self.arrivals += 1
        match entry:
            case Arrived():
                for batch in entry.batches:
                    self.store.append(batch)
                self._drained = (entry.drained_ns, self._monotonic_ns())
                return
            case Rewound():
                self.rewind()
                return
            case stream.Stats():
                self.wall.set(entry.wall_offset_ns, entry.ts_ns)
            case stream.Hello():
                self.wall.begin(entry.wall_offset_ns)
        self.machines[host].take(entry)

    def rewind(self) -> None:
        """Forget rows, counters and states; the hello stays."""
        self.store.clear()
        self.machine.rewind()
        self._drained = None
