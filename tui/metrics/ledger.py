"""The metrics of the ledger, of all waits for a CPU, and of what ringtop itself costs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from ringtop.bpf import stream
from ringtop.bpf.common.usage import usage
from ringtop.bpf.event.waits import EDGES, PER_OCTAVE, by_octave, every_bucket
from ringtop.tui.model.counters import Totals

Values = Mapping[tuple[str, ...], float]
"""By the values of its labels."""
_ENDS = [*(f"{2 * ns / 1e9:.12g}" for ns in EDGES[:-PER_OCTAVE:PER_OCTAVE].tolist()), "+Inf"]
"""The upper ends of the powers of two, seconds."""
_WIDTHS = np.diff(EDGES)
_MIDDLES = EDGES + np.append(_WIDTHS, _WIDTHS[-1]) // 2


def _filled(family: CounterMetricFamily | GaugeMetricFamily, values: Values) -> Metric:
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family


def _counter(name: str, about: str, labels: Sequence[str], values: Values) -> Metric:
    return _filled(CounterMetricFamily(f"ringtop_{name}", about, labels=labels), values)


def gauge(name: str, about: str, labels: Sequence[str], values: Values) -> Metric:
    """A metric that goes up and down."""
    return _filled(GaugeMetricFamily(f"ringtop_{name}", about, labels=labels), values)


def of_programs(programs: Mapping[str, Totals], stats: stream.Stats) -> Iterator[Metric]:
    """The ledger: emitted = received + lost + in flight + residual."""
    lost: Counter[tuple[str, ...]] = Counter()
    missed: Counter[tuple[str, ...]] = Counter()
    untracked: Counter[tuple[str, ...]] = Counter()
    for one in stats.programs:
        missed[one.program,] += one.missed
        for cpu in one.cpus:
            untracked[one.program,] += cpu.untracked
            for reason, dropped in cpu.dropped.items():
                lost[one.program, str(cpu.cpu), reason] += dropped
    each = ("program",)

    def of(name: str) -> Values:
        return {(program,): getattr(totals, name) for program, totals in programs.items()}

    yield _counter("emitted", "Events that were handed to a transport.", each, of("emitted"))
    yield _counter("received", "Events that were received.", each, of("received"))
    yield _counter("filtered", "Events that the capture filter kept out.", each, of("filtered"))
    yield _counter("lost", "Events that were lost, by reason.", ("program", "cpu", "reason"), lost)
    yield _counter("missed", "Times that the kernel skipped a BPF function of ringtop.", each, missed)
    yield gauge("in_flight", "Events in a buffer.", each, of("in_flight"))
    about = "Events neither received, lost nor in flight: anything but 0 is a bug in ringtop."
    yield gauge("residual", about, each, of("residual"))
    yield gauge("untracked", "Calls that run now, or that could not be followed to their end.", each, untracked)


def of_waits(waits: stream.Waits) -> Metric:
    """All waits for a CPU."""
    counts = every_bucket(waits.counts)
    pairs = list(zip(_ENDS, map(float, by_octave(counts).cumsum()), strict=True))
    about = (
        "All waits for a CPU, also those too short to be reported, as the kernel counts them. The sum is estimated: it "
        "takes each wait for the middle of an eighth of a power of two."
    )
    return HistogramMetricFamily("ringtop_run_queue_latency_seconds", about, pairs, float(counts @ _MIDDLES) / 1e9)


def of_ringtop(stats: stream.Stats, costs: stream.Costs | None) -> Iterator[Metric]:
    """What ringtop costs the machine."""
    own = usage(os.getpid())
    seconds: Values = {("collector",): stats.cpu_ns / 1e9, ("metrics",): own.cpu_ns / 1e9}
    memory: Values = {("collector",): stats.rss_bytes, ("metrics",): own.rss_bytes}
    yield _counter("cpu_seconds", "CPU time of ringtop's processes.", ("process",), seconds)
    yield gauge("memory_bytes", "Resident memory of ringtop's processes.", ("process",), memory)
    if costs is None:
        return
    maps: Counter[tuple[str, ...]] = Counter()
    for one in costs.maps:
        maps[one.program,] += max(one.memory_bytes, 0)
    yield gauge("bpf_map_bytes", "Memory of ringtop's BPF maps.", ("program",), maps)
    if costs.uncounted:
        return
    runs: Counter[tuple[str, ...]] = Counter()
    spent: Counter[tuple[str, ...]] = Counter()
    for function in costs.functions:
        runs[function.program, function.name] += function.runs
        spent[function.program, function.name] += function.run_ns
    labels = "program", "function"
    yield _counter("bpf_runs", "Runs of ringtop's BPF functions.", labels, runs)
    about = "Time that the runs of ringtop's BPF functions took, in the tasks that they trace."
    yield _counter("bpf_run_seconds", about, labels, {key: ns / 1e9 for key, ns in spent.items()})
