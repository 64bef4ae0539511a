"""One way takes over from another: step by step, and where the kernel refuses one of the steps."""

from __future__ import annotations

import pytest

from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.sizes import DEFAULT, human
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.bpf.stream import Changed, Notice, Retune
from tests.bpf.made_up import MadeUp, tracer

EVER = 1 << 62
RING = DEFAULT["ringbuf"]
PRIME = 23


class Run:
    """A tracer over a made-up kernel, with all that came of it."""

    def __init__(self, options: CollectorOptions | None = None, silent: bool = False) -> None:
        self.kernel = MadeUp(silent=silent)
        self.tracer = tracer(self.kernel, "perfbuf" if silent else "ringbuf", options)
        self.tracer.attach()
        self.received: list[tuple[int, int]] = []

    def drain(self) -> None:
        rows = self.tracer.drain(EVER).batch.rows
        self.received += zip(rows["cpu"].tolist(), rows["seq"].tolist(), strict=True)

    def to_the_end(self) -> Changed | Notice:
        """Let the change come to its end; what is told of it."""
        while self.tracer.changes.changing:
            self.kernel.gate.let_one()
            self.drain()
        (told,) = self.tracer.changes.news
        assert isinstance(told, Changed | Notice)
        self.tracer.changes.news.clear()
        return told

    def close(self) -> None:
        """The end: every event came, once."""
        self.kernel.gate.unlock()
        self.tracer.stop()
        self.drain()
        self.tracer.close()
        assert sorted(self.received) == sorted(self.kernel.fates)
        assert not any(fate.dropped for fate in self.kernel.fates.values())


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (Retune("perfbuf"), ("perfbuf", 256 << 10, "timer")),
        (Retune("other", 1 << 20, "every"), ("perfbuf", 1 << 20, "every")),
        (Retune(buffer_bytes=64 << 10), ("ringbuf", 64 << 10, "timer")),
        (Retune(wakeup="batch:8"), ("ringbuf", RING, "batch:8")),
    ],
)
def test_what_is_asked_for_is_granted_and_told(asked: Retune, told: tuple[str, int, str]) -> None:
    run = Run()
    run.kernel.events(0, PRIME)
    assert run.tracer.changes.retune(asked)
    before = run.tracer.state
    run.kernel.events(1, PRIME)
    assert run.tracer.state == before, "until it is done"
    changed = run.to_the_end()
    assert isinstance(changed, Changed)
    assert (changed.transport, changed.buffer_bytes, changed.wakeup) == told
    assert (changed.before.transport, changed.before.buffer_bytes) == ("ringbuf", RING)
    assert changed.before.received == 2 * PRIME
    assert changed.dropped == 0
    state = run.tracer.state
    assert (state.transport, state.buffer_bytes, state.wakeup) == told
    run.kernel.events(0, PRIME)
    run.close()


def test_an_event_that_chose_the_old_one_is_waited_for() -> None:
    """On its CPU the numbers go on without a hole from the old one to the new one."""
    run = Run()
    run.kernel.events(0, 2)
    run.kernel.step(0)  # it has chosen
    run.tracer.changes.retune(Retune("perfbuf"))
    while run.kernel.config is not None and run.kernel.config.transport == "ringbuf":
        run.kernel.gate.let_one()
    run.kernel.events(1, 3)  # over the new one
    run.drain()
    assert run.received == [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]
    assert run.tracer.changes.changing, "the kernel still waits for the event on CPU 0"
    changed = run.to_the_end()
    assert isinstance(changed, Changed)
    assert changed.cpus == [(0, 2, -1), (1, -1, 0)]
    assert changed.in_flight == 1 + 2
    run.close()


@pytest.mark.parametrize("refused", ["install", "wait"])
@pytest.mark.parametrize("asked", [Retune("perfbuf"), Retune(buffer_bytes=64 << 10)], ids=["switch", "resize"])
def test_what_the_kernel_refuses_is_undone(asked: Retune, refused: str) -> None:
    """Events that had gone the new way already are read; the old one goes on."""
    run = Run()
    before = run.tracer.state
    run.kernel.refuse[refused] = 1
    run.tracer.changes.retune(asked)
    for cpu in (0, 1, 0, 1, 0, 1):
        run.kernel.events(cpu, 2)
        run.kernel.step(cpu)  # and one more is on its way
        run.kernel.gate.let_one()
    told = run.to_the_end()
    assert isinstance(told, Notice)
    assert told.level == "error"
    assert f"Cannot allocate memory; a ring buffer of {human(RING)} stays in use" in told.text
    assert run.tracer.state == before
    run.kernel.events(0, PRIME)
    run.drain()
    assert run.tracer.changes.retune(asked), "it can be asked for again"
    assert isinstance(run.to_the_end(), Changed)
    run.close()


def test_the_old_ones_map_may_refuse_to_let_it_go() -> None:
    """Nothing goes there any more, all the same."""
    run = Run()
    run.kernel.refuse["uninstall"] = 1
    run.tracer.changes.retune(Retune("perfbuf"))
    assert isinstance(run.to_the_end(), Changed)
    run.kernel.events(0, PRIME)
    run.close()


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (Retune(buffer_bytes=5000), "4K or 8K"),
        (Retune(wakeup="sometimes"), "batch:N"),
        (Retune("ringbuf"), "this kernel has no BPF ring buffer"),
    ],
)
def test_what_cannot_be_is_refused_at_once(asked: Retune, why: str) -> None:
    run = Run(silent=True)
    before = run.tracer.state
    with pytest.raises((ValueError, CannotTrace), match=why):
        run.tracer.changes.retune(asked)
    assert not run.tracer.changes.changing
    assert run.tracer.state == before
    assert len(run.kernel.readers) == 1
    run.close()


def test_no_buffers_can_be_had() -> None:
    run = Run()
    run.kernel.refuse["open"] = 1
    with pytest.raises(CannotTrace, match="perf buffer of 256K for each CPU: Cannot allocate memory"):
        run.tracer.changes.retune(Retune("perfbuf"))
    assert run.tracer.changes.retune(Retune("perfbuf"))
    assert isinstance(run.to_the_end(), Changed)
    run.close()


def test_nothing_changes_where_it_is_so_already() -> None:
    run = Run()
    assert not run.tracer.changes.retune(Retune("ringbuf", RING, "timer"))
    (told,) = run.tracer.changes.news
    assert isinstance(told, Notice)
    assert told.text == f"it already has a ring buffer of {human(RING)} and the wakeup mode timer"
    run.close()


def test_a_transport_remembers_its_size() -> None:
    run = Run(CollectorOptions(buffer=32 << 10))
    for asked in (Retune(buffer_bytes=64 << 10), Retune("other"), Retune("other")):
        run.tracer.changes.retune(asked)
        assert isinstance(run.to_the_end(), Changed)
    assert run.tracer.state.buffer_bytes == 64 << 10
    run.tracer.changes.retune(Retune("other"))
    run.to_the_end()
    assert run.tracer.state.buffer_bytes == 32 << 10
    run.close()


def test_a_size_that_was_refused_is_not_remembered() -> None:
    run = Run()
    run.kernel.refuse["install"] = 1
    run.tracer.changes.retune(Retune("perfbuf", buffer_bytes=1 << 20))
    assert isinstance(run.to_the_end(), Notice)
    run.tracer.changes.retune(Retune("perfbuf"))
    run.to_the_end()
    assert run.tracer.state.buffer_bytes == 256 << 10
    run.close()


def test_the_end_finishes_a_change_that_is_under_way() -> None:
    run = Run()
    run.tracer.changes.retune(Retune("perfbuf"))
    run.kernel.step(0)
    run.kernel.step(0)
    run.close()
    (told,) = run.tracer.changes.news
    assert isinstance(told, Changed)
