"""One way takes over from another while events flow.

Both are drained until the kernel says that no event is at work which was meant for the old one; then the old one is
empty after one more drain, and is closed. On each CPU the events of the old one all come before those of the new one:
a program decides for itself once an event, and is not interrupted by itself.
"""

from __future__ import annotations

import time
from contextlib import suppress

import numpy as np

from ringtop.bpf.change.background import Background
from ringtop.bpf.change.ways import Way
from ringtop.bpf.event.batch import Rows
from ringtop.bpf.kernel.layout import Counters, ProgramConfig
from ringtop.bpf.kernel.loaded import Loaded
from ringtop.bpf.ledger.period import losses
from ringtop.bpf.stream import Changed

_NEVER = np.iinfo(np.int64).max


class Handover:
    """From *old* to *new*, which is open but not installed; *config* is in force afterwards, *before* until then."""

    changing = True

    def __init__(self, loaded: Loaded, old: Way, new: Way, before: ProgramConfig, config: ProgramConfig) -> None:
        self.old, self.new = old, new
        self._told_ns = 0
        """When the kernel was told; 0 until then."""
        self._in_flight = 0
        self._last = old.ledger.next_seq - 1
        self._first = np.full(len(self._last), _NEVER)
        self._loaded, self._before, self._config = loaded, before, config
        self._lost_before = losses(loaded.counters())
        self._work = Background(self._hand_over)

    def _hand_over(self) -> None:
        loaded, old, new = self._loaded, self.old.reader, self.new.reader
        replaced = old.transport == new.transport  # then the new one is in force as soon as it is in its place
        if replaced:
            self._told_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        try:
            new.install(loaded.map_fd(new.transport))
            if not replaced:
                self._told_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            loaded.configure(self._config)  # the one store that decides
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
            with suppress(OSError):  # nothing goes there any more, all the same
                old.uninstall(loaded.map_fd(old.transport))

    def saw(self, way: Way, rows: Rows) -> None:
        """Take note of *rows*, which *way* just brought."""
        seq = rows["seq"].astype(np.int64)
        if way is self.new:
            np.minimum.at(self._first, rows["cpu"], seq)
            return
        np.maximum.at(self._last, rows["cpu"], seq)
        if self._told_ns:
            self._in_flight += len(rows)

    def step(self) -> bool:
        """Whether nothing is written any more to the one that has to go: one drain more, and it is empty."""
        return self._work.done

    def settle(self) -> bool:
        """Wait until nothing is written any more to the one that has to go."""
        with suppress(OSError):  # raised by the result
            self._work.result()
        return True

    def result(self, counters: Counters) -> Changed:
        """What came of it, after the last drain of the old one. Raises OSError when the new one could not take over,
        and the old one goes on."""
        self._work.result()
        return Changed(
            program=self._loaded.program,
            before=self.old.period(counters),
            transport=self.new.transport,
            buffer_bytes=self.new.reader.size,
            wakeup=self.new.setting.wakeup,
            ts_ns=self._told_ns,
            took_ns=time.clock_gettime_ns(time.CLOCK_MONOTONIC) - self._told_ns,
            in_flight=self._in_flight,
            dropped=losses(counters) - self._lost_before,
            cpus=self._cpus(),
        )

    def _cpus(self) -> list[tuple[int, int, int]]:
        """CPU, last number over the old one, first over the new one; -1 for none."""
        first = np.where(self._first == _NEVER, -1, self._first)
        both = zip(range(len(first)), self._last.tolist(), first.tolist(), strict=True)
        return [numbers for numbers in both if numbers[1:] != (-1, -1)]
