"""What ringtop costs: what the collector told of itself, with what only the viewer knows."""

from __future__ import annotations

import time

from ringtop.bpf import stream
from ringtop.tui.draw.costs import Reading
from ringtop.tui.model.model import Model
from ringtop.tui.process import own


def reading(told: stream.Costs, model: Model, written_bytes: int) -> Reading:
    """What the collector *told*, the viewer's own processes and the bytes *written* to the terminal, as of now."""
    periods = {name: model.machine.counters.of(name).now for name in model.programs}
    perf = {name: p.memory_bytes for name, p in periods.items() if p is not None and p.transport == "perfbuf"}
    viewer = tuple(own.processes(model.machine.hello.pid if model.machine.hello is not None else 0))
    return Reading(told, viewer, written_bytes, time.monotonic_ns(), perf)
