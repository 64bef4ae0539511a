"""The collector's loop over a made-up kernel: controls, rounds, stop, a reader that dies and one that does not read."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator

import pytest

from ringtop.bpf import stream
from ringtop.bpf.collector import outbox
from ringtop.bpf.collector.collector import Collector
from ringtop.bpf.collector.containers import Containers
from ringtop.bpf.collector.costs import Costing
from ringtop.bpf.collector.groups import Groups
from ringtop.bpf.collector.outbox import Outbox
from ringtop.bpf.options.collector import CollectorOptions
from tests.bpf.made_up import MadeUp, following, tracer

PRIME = 23


class Running:
    """A collector in a thread of its own, heard and told through pipes."""

    def __init__(self) -> None:
        self.kernel = MadeUp()
        self.kernel.gate.unlock()
        self.kernel.online = {0, 1}
        self.out, out = os.pipe()
        control, self.control = os.pipe()
        self.counted: list[bool] = []
        """What the kernel was told about counting runs."""
        costing = Costing([], {}, self._count_runs)
        self.collector = Collector(Outbox(out), control, following(), 0, costing, Groups(None, Containers()))
        self.collector.tracers["unlinksnoop"] = made = tracer(self.kernel, options=CollectorOptions(buffer=4 << 20))
        made.attach()
        self.seen: list[stream.Any] = []
        self._frames = stream.Frames()
        self.error: BaseException | None = None
        self._ends = [out, control]
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _count_runs(self, on: bool) -> str:
        self.counted.append(on)
        return "made up" if on else ""

    def _run(self) -> None:
        try:
            self.collector.run()
            os.set_blocking(self.collector.out.fd, True)
            self.collector.out.flush()
        except BaseException as e:
            self.error = e
        os.close(self._ends[0])

    def until(self, kind: type, told: Callable[[stream.Any], bool] = lambda message: True) -> stream.Any:
        """Read until a message of that *kind*."""
        while data := os.read(self.out, 1 << 20):
            messages = [stream.decode(body) for body in self._frames.feed(data)]
            self.seen += messages
            if found := [m for m in messages if isinstance(m, kind) and told(m)]:
                return found[-1]
        raise AssertionError(f"the stream ended without {kind.__name__}")

    def tell(self, *controls: stream.Control) -> None:
        """Send them in one piece."""
        os.write(self.control, b"".join(map(stream.encode, controls)))

    def events(self) -> list[tuple[int, int]]:
        """All that came: CPU and number."""
        rows = [stream.batch(part).rows for m in self.seen if isinstance(m, stream.Round) for part in m.batches]
        return [pair for part in rows for pair in zip(part["cpu"].tolist(), part["seq"].tolist(), strict=True)]

    def end(self) -> stream.Stats:
        """Stop it; the last ledger."""
        self.tell(stream.Stop())
        self.until(stream.End)
        self.thread.join(30)
        return [m for m in self.seen if isinstance(m, stream.Stats)][-1]


@pytest.fixture
def running() -> Iterator[Running]:
    one = Running()
    yield one
    one.collector.stop("the test is over")
    os.close(one.control)
    one.thread.join(30)
    one.collector.close()


def test_what_happens_is_told_and_balances_at_the_end(running: Running) -> None:
    running.kernel.events(0, PRIME)
    running.thread.start()
    running.until(stream.Round)
    last = running.end()
    assert running.events() == [(0, n) for n in range(PRIME)]
    cpus = last.programs[0].cpus
    assert sum(c.emitted for c in cpus) == sum(c.received for c in cpus) == PRIME
    assert running.error is None
    assert running.seen[-1] == stream.End("stopped")


def test_changes_wait_for_one_another_and_keep_their_order(running: Running) -> None:
    running.thread.start()
    running.tell(stream.Retune("perfbuf"), stream.SetCapture("pid=1"), stream.Retune("ringbuf"), stream.SetCapture(""))
    running.until(stream.State, lambda s: s.transport == "ringbuf" and not s.capture)
    running.end()
    told = [m for m in running.seen if isinstance(m, stream.State | stream.Changed)]
    assert [type(m).__name__ for m in told] == ["Changed", "State", "State", "Changed", "State", "State"]
    states = [(m.transport, m.capture) for m in told if isinstance(m, stream.State)]
    assert states == [("perfbuf", ""), ("perfbuf", "pid=1"), ("ringbuf", "pid=1"), ("ringbuf", "")]


def test_costs_are_told_only_while_they_are_asked_for(running: Running) -> None:
    running.thread.start()
    running.tell(stream.Measure(True), stream.Measure(True))
    first = running.until(stream.Costs)
    assert running.until(stream.Costs, lambda later: later.ts_ns > first.ts_ns + 500_000_000).uncounted == "made up"
    running.tell(stream.Measure(False), stream.SetCapture("pid=1"))
    running.until(stream.State)
    told = len([m for m in running.seen if isinstance(m, stream.Costs)])
    running.end()
    assert len([m for m in running.seen if isinstance(m, stream.Costs)]) == told
    assert running.counted == [True, False]
    (process,) = first.processes
    assert (process.name, process.pid) == ("collector", os.getpid())
    assert process.pss_bytes <= process.rss_bytes


def test_what_cannot_be_is_answered(running: Running) -> None:
    running.thread.start()
    running.tell(stream.SetCapture("pid="), stream.Retune(buffer_bytes=5000), stream.Compare(-1))
    running.tell(stream.Retune("ringbuf"), stream.SetCapture("", ["execsnoop"]))
    running.until(stream.Notice, lambda n: "already" in n.text)
    running.end()
    notices = [m for m in running.seen if isinstance(m, stream.Notice)]
    assert sorted(n.level for n in notices) == ["error"] * 4 + ["info"]
    assert any("'execsnoop' is not running" in n.text for n in notices)


def test_it_ends_when_the_viewer_has_gone(running: Running) -> None:
    running.thread.start()
    os.close(running.control)
    assert running.until(stream.End).reason == "the viewer is gone"
    running.control = os.open("/dev/null", os.O_RDONLY)


def test_a_reader_that_dies_ends_it(running: Running) -> None:
    running.thread.start()
    os.close(running.out)
    running.thread.join(30)
    assert isinstance(running.error, BrokenPipeError)


def test_while_nothing_is_read_the_kernel_drops_and_all_is_counted(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "LIMIT", 1)
    for _ in range(4):
        running.collector.out.put(stream.Notice("info", "x" * 60_000))  # more than a pipe takes
    running.kernel.events(0, PRIME)
    assert running.collector.out.full
    running.thread.start()
    running.kernel.events(1, 5000)  # more than the ring holds
    last = running.end()
    cpus = last.programs[0].cpus
    emitted, received = sum(c.emitted for c in cpus), sum(c.received for c in cpus)
    dropped = sum(c.dropped["full"] for c in cpus)
    assert emitted == PRIME + 5000 == received + dropped
    assert dropped == PRIME + 5000 - (4 << 20) // 1024
    assert len(running.events()) == received
