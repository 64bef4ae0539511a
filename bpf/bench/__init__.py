"""`ringtop bench`: the cost of reading events with ringtop and with bcc, and of tracing to the traced processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

from ringtop.bpf.bench.overload import overloads
from ringtop.bpf.bench.progress import progress
from ringtop.bpf.bench.report import Report
from ringtop.bpf.bench.rows import Plan, measure
from ringtop.bpf.bench.sides import SIDES
from ringtop.bpf.bench.storm import how
from ringtop.bpf.bench.tax import taxes
from ringtop.bpf.common import privilege
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.sizes import PAGE
from ringtop.bpf.kernel import syscall
from ringtop.bpf.kernel.features import Kernel, ensure_tracefs, online_cpus

EVENTS = 1_000_000
BUFFER, MEMORY = 4 << 20, 1 << 30
"""Most bytes of one buffer, and of all buffers together; with many CPUs, each buffer is made smaller."""
_HOOKED = {2: "kprobe", 5: "tracepoint", 17: "raw tracepoint", 24: "raw tracepoint", 26: "tracing"}
"""The values of ``enum bpf_prog_type`` whose programs make system calls, wakeups or switches slower."""


def run(json: bool, events: int) -> int:
    """Measure, print, and return the exit status: 0, or 1 when a ledger does not balance. Raises CannotTrace."""
    privilege.require()
    ensure_tracefs()
    kernel = Kernel()
    allowed = os.sched_getaffinity(0)
    storm_cpu, reader_cpu = min(allowed), max(allowed)
    perfs = sum(side.transport == "perfbuf" for side in SIDES)
    buffer = BUFFER
    while buffer * perfs * len(online_cpus()) > MEMORY and buffer > PAGE:
        buffer //= 2
    report = Report(
        Plan(events, buffer, storm_cpu),
        {
            "kernel": kernel.release,
            "cpus": os.cpu_count(),
            "storm": how(),
            "storm_cpu": storm_cpu,
            "reader_cpu": reader_cpu,
        },
        notes=list(_notes(kernel, storm_cpu == reader_cpu)),
    )
    os.sched_setaffinity(0, {reader_cpu})
    try:
        _measure(report, kernel, sorted(allowed), quiet=json)
    finally:
        os.sched_setaffinity(0, allowed)
    if json:
        print(report.as_json())
    return 0 if report.balanced else 1


def _notes(kernel: Kernel, one_cpu: bool) -> Iterator[str]:
    if kernel.no_ringbuf:
        yield f"{kernel.no_ringbuf}: only perf buffers are measured."
    if one_cpu:
        yield "there is one CPU for the storm and the reader: they take turns."
    with suppress(OSError):
        others = sum(kind in _HOOKED for kind in syscall.program_types())
        if others:
            yield f"{others} BPF programs for tracing are loaded already: their cost is part of every figure."


def _measure(report: Report, kernel: Kernel, cpus: list[int], quiet: bool) -> None:
    def say(text: str) -> None:
        if not quiet:
            print(text, flush=True)

    say(report.head())
    with progress() as show:
        sides = [side for side in SIDES if side.transport != "ringbuf" or not kernel.no_ringbuf]
        report.rows += measure(sides, kernel, report.plan, show)
    for row in report.rows:
        say(report.line(row))
    say(report.ledger())
    if not kernel.no_ringbuf:
        with progress() as show:
            report.overloads += overloads(kernel, report.plan, cpus, show)
        say(report.overload())
    with progress() as show:
        show("the cost for processes that cause no events")
        for tax in taxes(kernel, report.plan.storm_cpu, min(report.plan.events / EVENTS, 1)):
            if isinstance(tax, CannotTrace):
                report.notes.append(str(tax))
                say(f"Note: {tax}")
            else:
                report.taxes.append(tax)
    say(report.tax())
    say(report.verdict())
