"""A tracer over a made-up kernel that loses an event of a perf buffer and does not say so."""

from __future__ import annotations

import numpy as np
import pytest

from ringtop.bpf.collector.tracer import Tracer
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import RUNQSLOWER
from ringtop.bpf.kernel.hierarchy import Hierarchy
from ringtop.bpf.kernel.ladder import Rung
from ringtop.bpf.kernel.layout import COUNTERS, Counters
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.bpf.transport.records import Drained

PERF = 1
EMITTED = 5
ARRIVED = (0, 1, 4)  # of the numbers 0 to 4


class Kernel:
    """As ``Kernel`` and ``Loaded`` in one: one CPU, *EMITTED* events, none said to be lost."""

    program, hook, without, tried = "runqslower", "made up", "", ()
    rung = Rung("made up", (), {})
    inner_pids = no_ringbuf = "made up"
    hierarchy = Hierarchy()

    def __init__(self, silent: bool) -> None:
        self.silent_perf = silent
        self.unreported = np.zeros(1, np.int64)
        self.attached = True

    def counters(self) -> Counters:
        by = np.zeros((1, 3, len(COUNTERS)), np.uint64)
        by[0, PERF, [COUNTERS.index("hits"), COUNTERS.index("emitted")]] = EMITTED
        by[0, PERF, COUNTERS.index("full")] = self.unreported[0]
        return Counters(np.array([EMITTED], np.uint64), np.zeros(1, np.int64), by, not self.attached)

    def detach(self) -> None:
        self.attached = False

    def missed(self) -> int:
        return 0

    def map_fd(self, name: str) -> int:
        return -1

    def waits(self) -> None:
        return None

    def see_failures(self, wanted: bool) -> None:
        pass

    def configure(self, config: object) -> None:
        pass


class Buffer:
    """Its reader."""

    size = capacity = memory = 4096
    transport = "perfbuf"

    def __init__(self) -> None:
        self._rows = np.zeros(len(ARRIVED), RUNQSLOWER.dtype)
        self._rows["seq"] = ARRIVED

    def install(self, map_fd: int) -> None:
        pass

    def fds(self) -> list[int]:
        return []

    def stats(self) -> int:
        return 0

    def drain(self) -> Drained:
        rows, self._rows = self._rows, self._rows[:0]
        return Drained(Batch("runqslower", rows, b""), np.array([len(rows)]), np.zeros(1, np.int64), 0)


@pytest.mark.parametrize(("silent", "full"), [(True, EMITTED - len(ARRIVED)), (False, 0)])
def test_only_where_the_kernel_is_silent_is_what_is_missing_taken_for_lost(silent: bool, full: int) -> None:
    """Elsewhere it stays what it is: unaccounted for."""
    kernel = Kernel(silent)
    tracer = Tracer(kernel, kernel, CollectorOptions(), "perfbuf", [0], lambda setting: Buffer())
    for _ in range(2):
        drained = tracer.drain(1 << 62, audit=True)
        ((cpu,),) = (stats.cpus for stats in tracer.stats(drained.audit))
        assert cpu.dropped == {"full": full, "no_reader": 0, "other": 0}
    tracer.stop()
    ((cpu,),) = (stats.cpus for stats in tracer.stats(tracer.drain(1 << 62, audit=True).audit))
    assert cpu.emitted - cpu.received - sum(cpu.dropped.values()) == (0 if silent else EMITTED - len(ARRIVED))
    assert cpu.gaps == EMITTED - len(ARRIVED), "the numbers tell it either way"
