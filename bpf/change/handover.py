"""One way takes over from another while events flow.

Both ways are drained until the kernel reports that no event meant for the old one is still being written. One more
drain then empties the old way, and it is closed. On each CPU all events of the old way come before those of the new
one, because a program chooses the way once for each event and is not interrupted by itself.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from ringtop.bpf.change.background import Background
from ringtop.bpf.change.ways import Way
from ringtop.bpf.common.clock import now_ns
from ringtop.bpf.event.batch import Rows
from ringtop.bpf.kernel.layout import Counters, ProgramConfig
from ringtop.bpf.kernel.loaded import Loaded
from ringtop.bpf.ledger.period import losses
from ringtop.bpf.stream import Changed

_NEVER = np.iinfo(np.int64).max


class Handover:
    """Moves events from *old* to *new*, which is open but not installed. The configuration *before* is in force until
    the switch, *config* after it."""

    changing = True

    def __init__(self, loaded: Loaded, old: Way, new: Way, before: ProgramConfig, config: ProgramConfig) -> None:
        self.old, self.new = old, new
        self._told_ns = 0
        """Monotonic time at which the kernel was given the new way; 0 until then."""
        self._in_flight = 0
        self._last = old.ledger.next_seq - 1
        self._first = np.full(len(self._last), _NEVER)
        self._loaded, self._before, self._config = loaded, before, config
        self._lost_before = losses(loaded.counters())
        self._work = Background(self._hand_over)

    def _hand_over(self) -> None:
        loaded, old, new = self._loaded, self.old.reader, self.new.reader
        replaced = old.transport == new.transport  # then the new one is in force once it is installed
        if replaced:
            self._told_ns = now_ns()
        try:
            new.install(loaded.map_fd(new.transport))
            if not replaced:
                self._told_ns = now_ns()
            loaded.configure(self._config)  # this one store decides which way events take
            loaded.wait_for_runs()
        except OSError:
            loaded.configure(self._before)
            if replaced:
                old.install(loaded.map_fd(old.transport))
            with suppress(OSError):
                loaded.wait_for_runs()
            if not replaced:
                with suppress(OSError):
                    new.uninstall(loaded.map_fd(new.transport))
            raise
        if not replaced:
            with suppress(OSError):  # harmless: no event goes there any more
                old.uninstall(loaded.map_fd(old.transport))

    def saw(self, way: Way, rows: Rows) -> None:
        """Record the sequence numbers of *rows*, which *way* has just drained."""
        seq = rows["seq"].astype(np.int64)
        if way is self.new:
            np.minimum.at(self._first, rows["cpu"], seq)
            return
        np.maximum.at(self._last, rows["cpu"], seq)
        if self._told_ns:
            self._in_flight += len(rows)

    def step(self) -> bool:
        """Whether nothing is written to the old way any more, so that one more drain empties it."""
        return self._work.done

    def settle(self) -> bool:
        """Wait until nothing is written to the old way any more. Returns True, also after a failure, which ``result``
        raises."""
        with suppress(OSError):  # ``result`` raises it
            self._work.result()
        return True

    def result(self, counters: Counters) -> Changed:
        """The outcome, after the last drain of the old way. Raises OSError when the new way could not take over, and
        the old one stays in use."""
        self._work.result()
        return Changed(
            program=self._loaded.program,
            before=self.old.period(counters),
            transport=self.new.transport,
            buffer_bytes=self.new.reader.size,
            wakeup=self.new.setting.wakeup,
            ts_ns=self._told_ns,
            took_ns=now_ns() - self._told_ns,
            in_flight=self._in_flight,
            dropped=losses(counters) - self._lost_before,
            cpus=self._cpus(),
        )

    def _cpus(self) -> list[tuple[int, int, int]]:
        """For each CPU with events: its number, its last sequence number over the old way and its first over the new
        one; -1 for none."""
        first = np.where(self._first == _NEVER, -1, self._first)
        both = zip(range(len(first)), self._last.tolist(), first.tolist(), strict=True)
        return [numbers for numbers in both if numbers[1:] != (-1, -1)]
