"""CPUs come and go, and perf buffers follow them; what finds no buffer meanwhile is counted."""

from __future__ import annotations

import pytest

from ringtop.bpf.options.collector import CollectorOptions
from ringtop.bpf.stream import Notice, ProgramStats, Retune
from tests.bpf.made_up import MadeUp, tracer

EVER = 1 << 62
PRIME = 23


class Run:
    """A tracer with perf buffers over a made-up kernel of three CPUs."""

    def __init__(self) -> None:
        self.kernel = MadeUp(3)
        self.tracer = tracer(self.kernel, "perfbuf")
        self.tracer.attach()
        self.kernel.gate.unlock()

    def follow(self) -> None:
        """What the collector does each second."""
        self.tracer.follow_cpus(sorted(self.kernel.online))

    def stats(self) -> ProgramStats:
        """After a drain."""
        return self.tracer.stats(self.tracer.drain(EVER, audit=True).audit)[-1]

    def counted(self, cpu: int) -> tuple[int, int]:
        """Received and lost for want of a buffer, on that CPU."""
        (mine,) = [c for c in self.stats().cpus if c.cpu == cpu]
        return mine.received, mine.dropped["no_reader"]


def test_a_cpu_that_goes_takes_nothing_with_it() -> None:
    run = Run()
    run.kernel.events(1, PRIME)
    run.kernel.switch_off(1)
    run.follow()
    assert run.counted(1) == (PRIME, 0)
    assert len(run.kernel.readers[0].fds()) == 2
    run.tracer.close()


def test_a_cpu_that_comes_has_a_buffer_within_a_second() -> None:
    run = Run()
    run.kernel.switch_off(2)
    run.follow()
    run.kernel.online.add(2)
    run.kernel.events(2, 3)
    run.follow()
    run.kernel.events(2, PRIME)
    assert run.counted(2) == (PRIME, 3)
    run.tracer.close()


def test_a_cpu_that_was_off_for_a_moment_only() -> None:
    """Nobody saw it go: its buffer is dead, and only the events that find no reader tell."""
    run = Run()
    run.kernel.switch_off(2)
    run.kernel.online.add(2)
    run.follow()
    run.kernel.events(2)
    run.follow()
    run.kernel.events(2, PRIME)
    run.follow()
    run.kernel.events(2, PRIME)
    assert run.counted(2) == (2 * PRIME, 1)
    run.tracer.close()


def test_a_cpu_that_came_while_other_buffers_were_made() -> None:
    """The new buffers know nothing of it, and the last look at the CPUs knew it well."""
    run = Run()
    run.kernel.switch_off(2)
    run.tracer.changes.retune(Retune(buffer_bytes=1 << 20))
    run.kernel.online.add(2)
    while run.tracer.changes.changing:
        run.tracer.drain(EVER)
    run.follow()
    run.kernel.events(2, PRIME)
    assert run.counted(2) == (PRIME, 0)
    run.tracer.close()


def test_what_is_refused_is_told_once_and_tried_again() -> None:
    run = Run()
    run.kernel.switch_off(2)
    run.follow()
    run.kernel.online.add(2)
    for _ in range(3):
        run.kernel.refuse["install"] = 1
        run.follow()
    (told,) = run.tracer.changes.news
    assert isinstance(told, Notice)
    assert told.text == "the events of a new CPU are lost, because it has no perf buffer: Cannot allocate memory"
    run.follow()
    run.kernel.events(2, PRIME)
    assert run.counted(2) == (PRIME, 0)
    assert len(run.tracer.changes.news) == 1
    run.tracer.close()


def test_during_a_change_they_are_not_followed() -> None:
    run = Run()
    run.kernel.gate.open = False
    run.tracer.changes.retune(Retune("other"))
    run.kernel.switch_off(2)
    run.follow()
    assert len(run.kernel.readers[0].fds()) == 3
    run.kernel.gate.unlock()
    while run.tracer.changes.changing:
        run.tracer.drain(EVER)
    run.follow()
    run.tracer.close()


@pytest.mark.parametrize("transport", ["ringbuf", "perfbuf"])
def test_copies_have_buffers_of_their_own(transport: str) -> None:
    """A comparison's perf buffers follow the CPUs, too."""
    run = Run()
    if transport == "ringbuf":
        run.tracer.close()
        run.kernel = MadeUp(3)
        run.tracer = tracer(run.kernel, "ringbuf", CollectorOptions())
        run.tracer.attach()
        run.kernel.gate.unlock()
    run.tracer.changes.compare(3600)
    while run.tracer.changes.changing:
        run.tracer.drain(EVER)
    run.kernel.switch_off(2)
    run.kernel.online.add(2)
    run.kernel.events(2)
    run.follow()
    run.kernel.events(2, PRIME)
    over_perf = run.kernel.copies if transport == "ringbuf" else run.kernel.fates
    assert [fate.dropped for fate in over_perf.values()] == ["no_reader"] + [""] * PRIME
    run.tracer.close()
