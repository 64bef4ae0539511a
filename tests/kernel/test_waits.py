"""The histogram of all waits has every wait once, in its bucket, and costs nothing when it is off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ringtop.bpf.collector.start import load_tracer
from ringtop.bpf.collector.tracer import Tracer
from ringtop.bpf.common.loaders import Loader
from ringtop.bpf.event.waits import BUCKETS, EDGES
from ringtop.bpf.kernel import syscall
from ringtop.bpf.kernel.features import Kernel, possible_cpus
from ringtop.bpf.kernel.marks import Marks
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.bpf.stream import ProgramStats
from tests.kernel.loads import HOG_NS, Waits
from tests.kernel.tracing import BY_EACH_LOADER, PRIME, Tracing

HOG_US = HOG_NS // 1_000 * 9 // 10
"""A threshold that the waits forced by a hog pass, and few others."""


def traced(tracer: Tracer, marks: Marks | None = None) -> tuple[np.ndarray[Any, Any], ProgramStats]:
    """All events of a time in which a task is made to wait, which *marks* exclude, and the statistics after it."""
    waits = Waits(preempted=False)
    try:
        if marks is not None:
            marks.exclude([waits.victim])
        tracer.attach()
        waits.force(PRIME)
        tracer.stop()
    finally:
        waits.close()
    drained = tracer.drain(1 << 62, audit=True)
    return drained.batch.rows, tracer.stats(drained.audit)[-1]


@BY_EACH_LOADER
def test_every_wait_is_in_its_bucket(loader: Loader) -> None:
    """With a threshold of 0 every wait is an event as well, whose length is known exactly."""
    tracer = load_tracer("runqslower", Kernel(), CollectorOptions(min_us=0, buffer=1 << 24, loader=loader))
    try:
        rows, stats = traced(tracer)
    finally:
        tracer.close()
    assert sum(cpu.emitted for cpu in stats.cpus) == len(rows) > PRIME
    expected = np.bincount((EDGES.searchsorted(rows["latency"], "right") - 1).clip(0), minlength=BUCKETS)
    assert stats.waits is not None
    assert stats.waits.reported == len(rows)
    assert stats.waits.counts == expected.tolist()[: len(stats.waits.counts)]
    assert sum(stats.waits.counts) == len(rows)


def test_waits_of_ringtops_own_tasks_are_not_counted() -> None:
    marks = Marks(kernel := Kernel())
    tracer = load_tracer("runqslower", kernel, CollectorOptions(min_us=HOG_US, buffer=1 << 24), marks=marks)
    try:
        whole, stats = traced(tracer)
        before = stats.waits
        rows, stats = traced(tracer, marks)
    finally:
        tracer.close()
        marks.close()
    assert before is not None
    assert stats.waits is not None
    assert before.reported == len(whole) >= PRIME
    assert stats.waits.reported - before.reported == len(rows)


def test_waits_too_short_to_report_are_counted(tracing: Tracing) -> None:
    """What is reported is a part of all, and the command tells both."""
    waits = Waits(preempted=True)
    try:
        running = tracing("runqslower")
        waits.force(PRIME)
        ledger = running.finish().summary["runqslower"]
    finally:
        waits.close()
    told = ledger["waits"]
    assert told["threshold_us"] == 10_000
    assert told["reported"] >= ledger["hits"] >= PRIME
    assert told["count"] > told["reported"]
    assert sum(count for _, count in told["buckets"]) == told["count"]
    assert sum(count for ns, count in told["buckets"] if ns >= 10_000_000) <= told["reported"]
    assert sum(count for ns, count in told["buckets"] if ns >= 8_388_608) >= told["reported"]


@pytest.mark.parametrize("program", ["runqslower", "execsnoop"])
def test_what_is_not_wanted_is_not_counted(program: str) -> None:
    tracer = load_tracer(program, Kernel(), CollectorOptions(min_us=0, histogram=program != "runqslower"))
    try:
        _, stats = traced(tracer)
        assert stats.waits is None
        if program == "runqslower":
            counted = np.zeros((possible_cpus(), 1 + BUCKETS), np.uint64)
            syscall.map_lookup(tracer.loaded.map_fd("waits"), 0, counted)
            assert not counted.any()
    finally:
        tracer.close()
