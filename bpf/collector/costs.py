"""What ringtop itself costs: its processes, BPF programs and maps, and the waits for a CPU that it caused."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple

import numpy as np

from ringtop.bpf.common import pids
from ringtop.bpf.common.clock import now_ns
from ringtop.bpf.common.usage import usage
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.kernel import info
from ringtop.bpf.kernel.loaded import Loaded
from ringtop.bpf.stream import Costs, FunctionCost, MapCost, ProcessCost


def in_kernel(
    loaded: Iterable[Loaded], shared: Mapping[str, int] | None = None
) -> tuple[list[FunctionCost], list[MapCost]]:
    """The functions of all programs *loaded*, those that belong to no single one (*shared*: file descriptors by hook),
    and all maps of this process. Raises OSError."""
    functions: list[FunctionCost] = []
    owners: dict[int, str] = {}
    for one in loaded:
        for name, fd in one.functions().items():
            hooks = [hook.target for hook in one.rung.hooks if hook.function == name]
            functions.append(function := _function(one.program, name, hooks, fd))
            owners |= {m: one.program if owners.get(m, one.program) == one.program else "" for m in function.maps}
        with suppress(OSError):  # this kernel has no ring buffer
            if ring := info.inner_map(one.map_fd("ringbuf")):
                owners[ring] = one.program
    functions += [_function("", hook, [hook], fd) for hook, fd in (shared or {}).items()]
    maps = [MapCost(owners.get(m.id, ""), *astuple(m)) for m in info.maps()]
    return functions, sorted(maps, key=lambda m: m.id)


def _function(program: str, name: str, hooks: list[str], fd: int) -> FunctionCost:
    told = info.program(fd)
    counted = told.runs, told.run_ns, told.jited_bytes, told.memory_bytes
    return FunctionCost(program, name, hooks, told.id, told.tag, *counted, list(told.maps))


class Costing:
    """Counts the waits that ringtop caused. While it is asked for, measures everything else, too.

    *own* are the ids of ringtop's processes, *helpers* the names and ids of those that the collector started.
    *count_runs* makes the kernel count the runs of BPF programs, or no more, and returns why it refuses.
    """

    def __init__(self, own: Sequence[int], helpers: Mapping[str, int], count_runs: Callable[[bool], str]) -> None:
        self.asked = False
        self._own = np.array(own, np.uint32)
        self._known = pids.are_the_hosts()
        self._processes = {"collector": os.getpid(), **helpers}
        self._count_runs = count_runs
        self._uncounted = ""
        self._waits = self._kept_waiting = 0

    def ask(self, on: bool) -> None:
        """Begin or end to measure."""
        if on != self.asked:
            self.asked, self._uncounted = on, self._count_runs(on)

    def saw(self, batch: Batch) -> None:
        """Count the waits among the events of *batch*."""
        if "culprit_pid" in (batch.rows.dtype.names or ()):
            self._waits += len(batch)
            self._kept_waiting += int(np.isin(batch.rows["culprit_pid"], self._own).sum())

    def costs(self, loaded: Iterable[Loaded], shared: Mapping[str, int]) -> Costs:
        """Everything that is measured, as it is now; the arguments are those of ``in_kernel``. Raises OSError."""
        processes = []
        for name, pid in self._processes.items():
            with suppress(OSError):  # it has ended
                processes.append(ProcessCost(name, pid, *usage(pid)))
        functions, maps = in_kernel(loaded, shared)
        now = now_ns()
        kept_waiting = self._kept_waiting if self._known else -1
        return Costs(now, self._uncounted, processes, functions, maps, self._waits, kept_waiting)
