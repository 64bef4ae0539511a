"""One reader takes over from another while events flow.

Both are drained until the kernel says that no event is at work which was meant for the old one; then the old one is
empty after one more drain, and is closed. On each CPU the events of the old one all come before those of the new one:
a program decides for itself once an event, and is not interrupted by itself.
"""

from __future__ import annotations

import time
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.change.background import Background
from ringtop.bpf.event.batch import Rows
from ringtop.bpf.kernel.layout import Config
from ringtop.bpf.kernel.loaded import Loaded
from ringtop.bpf.transport.reader import Reader

_NEVER = np.iinfo(np.int64).max


class Handover:
    """From *old* to *new*, which is open but not installed; *config* is in force afterwards, *before* until then.

    *next_seq*, by CPU, are the numbers that follow the last ones received.
    """

    def __init__(
        self, loaded: Loaded, old: Reader, new: Reader, before: Config, config: Config, next_seq: NDArray[np.int64]
    ) -> None:
        self.old, self.new = old, new
        self.told_ns = 0
        """When the kernel was told; 0 until then."""
        self.in_flight = 0
        self._last = next_seq - 1
        self._first = np.full(len(next_seq), _NEVER)
        self._loaded, self._before, self._config = loaded, before, config
        self._work = Background(self._hand_over)

    def _hand_over(self) -> None:
        old, new, loaded = self.old, self.new, self._loaded
        replaced = old.transport == new.transport  # then the new one is in force as soon as it is in its place
        if replaced:
            self.told_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        try:
            new.install(loaded.map_fd(new.transport))
            if not replaced:
                self.told_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
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

    def saw(self, reader: Reader, rows: Rows) -> None:
        """Events that *reader* just brought."""
        seq = rows["seq"].astype(np.int64)
        if reader is self.new:
            np.minimum.at(self._first, rows["cpu"], seq)
            return
        np.maximum.at(self._last, rows["cpu"], seq)
        if self.told_ns:
            self.in_flight += len(rows)

    @property
    def done(self) -> bool:
        """Nothing is written any more to the one that has to go."""
        return self._work.done

    def result(self) -> None:
        """Wait until it is done. Raises OSError when *new* could not take over, and *old* goes on."""
        self._work.result()

    def cpus(self) -> list[tuple[int, int, int]]:
        """CPU, last number over the old one, first over the new one; -1 for none."""
        first = np.where(self._first == _NEVER, -1, self._first)
        both = zip(range(len(first)), self._last.tolist(), first.tolist(), strict=True)
        return [numbers for numbers in both if numbers[1:] != (-1, -1)]
