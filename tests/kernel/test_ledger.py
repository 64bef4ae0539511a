"""The ledger under a storm: buffers too small for it lose events, and say exactly how many and where."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from ringtop.bpf.collector.start import load_tracer
from ringtop.bpf.kernel import loader
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.ladder import Rung, ladder
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.bpf.stream import Notice
from tests.kernel.loads import Storm, run_programs
from tests.kernel.tracing import BY_EACH_LOADER, PRIME, Tracing, assert_balanced, assert_explained

ME = f"ppid={os.getpid()}"
BOTH = pytest.mark.parametrize("transport", ["ringbuf", "perfbuf"])
WAKEUPS = pytest.mark.parametrize("wakeup", ["timer", "adaptive", "every", "batch:64"])


@BY_EACH_LOADER
@BOTH
@WAKEUPS
def test_a_buffer_of_four_pages_loses_events_and_says_so(tracing: Tracing, transport: str, wakeup: str) -> None:
    storm = Storm(20_000)
    running = tracing("unlinksnoop", "--transport", transport, "--buffer", "4P", "--wakeup", wakeup, "--capture", ME)
    storm.run()
    again = Storm(1_000)
    with running.asleep():
        again.run()
    outcome = running.finish()
    assert outcome.summary["unlinksnoop"]["dropped"]["full"] > 0
    assert_explained(outcome, storm.total + again.total)


@BY_EACH_LOADER
@BOTH
def test_check_tells_of_loss(tracing: Tracing, transport: str) -> None:
    storm = Storm(20_000)
    running = tracing("unlinksnoop", "--transport", transport, "--buffer", "4P", "--capture", ME, "--check")
    with running.asleep():
        storm.run()
    assert running.finish().status == 4


@BY_EACH_LOADER
@BOTH
def test_a_large_buffer_loses_nothing(tracing: Tracing, transport: str) -> None:
    storm = Storm(20_000)
    running = tracing("unlinksnoop", "--transport", transport, "--buffer", "16M", "--capture", ME, "--check")
    storm.run()
    outcome = running.finish()
    assert outcome.status == 0, outcome.err
    assert len(outcome.rows) == storm.total
    assert_explained(outcome, storm.total)


@BY_EACH_LOADER
def test_the_capture_filter_counts_what_it_keeps_out(tracing: Tracing) -> None:
    storm = Storm(1_000)
    kept = storm.pids[min(storm.pids)]
    running = tracing("unlinksnoop", "--capture", f"pid={kept}")
    storm.run()
    outcome = running.finish()
    assert {r["pid"] for r in outcome.rows} == {kept}
    assert len(outcome.rows) == 1_000
    assert outcome.summary["unlinksnoop"]["filtered"] >= storm.total - 1_000
    assert_balanced(outcome.summary)


OPTIONS = CollectorOptions()


@pytest.mark.parametrize("program", ["execsnoop", "unlinksnoop"])
@pytest.mark.parametrize("seen", [True, False], ids=["exits seen", "exits missed"])
def test_calls_that_are_not_seen_to_leave_are_untracked(
    program: str, seen: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel has kretprobes for so many calls at a time, and a map room for so many."""

    def last(program: str, kernel: Kernel) -> list[Rung]:
        rung = [r for r in ladder(program, kernel) if any("exit" in h.function for h in r.hooks)][-1]
        return [replace(rung, hooks=tuple(h for h in rung.hooks if seen or "exit" not in h.function))]

    monkeypatch.setattr(loader, "ladder", last)
    tracer = load_tracer(program, Kernel(), OPTIONS)
    try:
        tracer.attach()
        run_programs(PRIME)
        for number in range(PRIME):
            (tmp_path / str(number)).touch()
            (tmp_path / str(number)).unlink()
        tracer.stop()
        (stats,) = tracer.stats(tracer.drain(1 << 62, audit=True).audit)
        untracked = sum(cpu.untracked for cpu in stats.cpus)
        if seen:
            assert untracked == 0
            assert sum(cpu.received for cpu in stats.cpus) >= PRIME
        else:
            assert untracked >= PRIME
    finally:
        tracer.close()


def test_damage_is_told_once() -> None:
    tracer = load_tracer("runqslower", Kernel(), OPTIONS)
    try:
        tracer.ways.ledger.by["ringbuf"].damaged += 3
        tracer.stats()
        tracer.stats()
        (notice,) = tracer.changes.news
        assert isinstance(notice, Notice)
        assert "3 damaged" in notice.text
    finally:
        tracer.close()
