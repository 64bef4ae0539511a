"""Transports, buffers and wakeup modes change under a storm: no event twice, none missing that the ledger does not
explain."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ringtop.bpf import stream
from ringtop.bpf.collector.start import load_tracer
from ringtop.bpf.common.sizes import PAGE
from ringtop.bpf.common.transports import Transport
from ringtop.bpf.kernel import syscall
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.source.client import LOCAL, Client
from tests.kernel.loads import Flood
from tests.kernel.tracing import PRIME

ME = f"ppid={os.getpid()}"
SWITCHES = int(os.environ.get("SWITCHES", "50"))
"""Of a storm; ``make storm`` makes a thousand."""
RESIZES = SWITCHES // 5


@dataclass
class Books:
    """What a reader of the stream saw of unlinksnoop."""

    seen: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    """By CPU: how often each sequence number came."""
    rows: dict[int, int] = field(default_factory=dict)
    late: int = 0
    changes: list[stream.Changed] = field(default_factory=list)
    compared: list[stream.Compared] = field(default_factory=list)
    notices: list[stream.Notice] = field(default_factory=list)
    stats: list[stream.ProgramStats] = field(default_factory=list)

    def take(self, message: stream.AnyMessage) -> None:
        """Enter what concerns the books."""
        match message:
            case stream.Round():
                for part in message.batches:
                    self._rows(stream.batch(part).rows)
            case stream.Changed():
                self.changes.append(message)
            case stream.Compared():
                self.compared.append(message)
            case stream.Notice():
                self.notices.append(message)
            case stream.Stats():
                self.stats = message.programs

    def _rows(self, rows: NDArray[np.void]) -> None:
        self.late += int(np.count_nonzero(rows["late"]))
        for cpu in np.flatnonzero(np.bincount(rows["cpu"])).tolist():
            numbers = rows["seq"][rows["cpu"] == cpu].astype(np.int64)
            seen = self.seen.get(cpu, np.zeros(1 << 20, np.uint8))
            while numbers.max() >= len(seen):
                seen = np.concatenate([seen, np.zeros_like(seen)])
            seen[numbers] += 1
            self.seen[cpu] = seen
            self.rows[cpu] = self.rows.get(cpu, 0) + len(numbers)

    def assert_exact(self, calls: Sequence[int]) -> int:
        """Every call is a row or a drop, on every CPU; how many were dropped."""
        lost = 0
        for cpu, called in enumerate(calls):
            ledgers = [c for part in self.stats for c in part.cpus if c.cpu == cpu]
            emitted, received = sum(c.emitted for c in ledgers), sum(c.received for c in ledgers)
            dropped = sum(sum(c.dropped.values()) for c in ledgers)
            assert emitted == called
            assert emitted == received + dropped
            assert self.rows.get(cpu, 0) == received
            seen = self.seen.get(cpu, np.zeros(1, np.uint8))
            assert not seen[emitted:].any(), "a number that was never given"
            # Twice within one batch it would be 1 here, and the sum too small; over two batches it would be 2.
            assert seen.max() <= 1, "an event twice"
            assert int(seen.sum()) == received
            assert sum(c.gaps for c in ledgers) == dropped
            for part in self.stats:
                for c in part.cpus:
                    assert c.emitted == c.received + sum(c.dropped.values()), (part.transport, c)
            lost += dropped
        return lost

    def assert_in_order(self) -> None:
        """On each CPU all events of the old transport come before all of the new one's."""
        reached: dict[int, int] = {}
        for change in self.changes:
            for cpu, last, first in change.cpus:
                assert last >= reached.get(cpu, -1)
                assert first == -1 or first > last, change
                reached[cpu] = max(last, first)


def run(controls: Iterable[stream.Control], *options: str, command: Sequence[str] = LOCAL) -> tuple[Books, list[int]]:
    """Give one control after another, each when the last one was answered; the books, and the calls made by CPU."""
    flood, books, waiting, begun = Flood(), Books(), iter(controls), False
    client = Client(["unlinksnoop", "--capture", ME, *options], command)
    try:
        os.sched_setaffinity(client.process.pid, {max(os.sched_getaffinity(0))})
        for message in client.messages():
            books.take(message)
            if isinstance(message, stream.State) and not begun:
                begun = True
                flood.release()
            elif not isinstance(message, stream.Changed | stream.Compared | stream.Notice):
                continue
            control = next(waiting, None)
            if control is None:
                flood.stop()
            client.send(control or stream.Stop())
        assert client.close() == 0, client.errors()
    finally:
        calls = flood.stop()
        client.close()
    return books, calls


def changes(sizes: dict[Transport, tuple[int, int]]) -> Iterator[stream.Retune]:
    """Switches; between them two resizes of the transport that is in use, and other wakeup modes."""
    wakeups = itertools.cycle(("adaptive", "every", "batch:64", "timer"))
    for i in range(SWITCHES):
        transport: Transport = "ringbuf" if i % 2 else "perfbuf"
        yield stream.Retune(transport)
        if i % 10 == 0:
            yield from (stream.Retune(buffer_bytes=size) for size in sizes[transport])
        if i % 12 == 0:
            yield stream.Retune(wakeup=next(wakeups))


ROOMY = {"ringbuf": (8 << 20, 16 << 20), "perfbuf": (4 << 20, 16 << 20)}
TINY = {"ringbuf": (4 * PAGE, PAGE), "perfbuf": (2 * PAGE, PAGE)}


@pytest.mark.timeout(900)  # grace periods take the kernel long while all CPUs are busy
@pytest.mark.parametrize("sizes", [ROOMY, TINY], ids=["roomy", "tiny"])
def test_switches_under_a_storm(sizes: dict[Transport, tuple[int, int]]) -> None:
    books, calls = run(changes(sizes), "--buffer", str(sizes["ringbuf"][1]))
    assert [n.text for n in books.notices] == []
    expected = list(changes(sizes))
    assert len(books.changes) == len(expected)
    assert sum(c.before.transport != c.transport for c in books.changes) == SWITCHES
    assert sum((c.before.transport, c.before.wakeup) == (c.transport, c.wakeup) for c in books.changes) == RESIZES
    dropped = books.assert_exact(calls)
    books.assert_in_order()
    if sizes is TINY:
        assert dropped > 0


def test_copies_are_accounted_for_and_events_are_shown_once() -> None:
    plan = [stream.Compare(0.7), stream.Retune("other"), stream.Compare(0.7)]
    books, calls = run(plan, "--buffer", "16M")
    assert [n.text for n in books.notices] == []
    books.assert_exact(calls)
    assert [(c.used.transport, c.other.transport) for c in books.compared] == [
        ("ringbuf", "perfbuf"),
        ("perfbuf", "ringbuf"),
    ]
    for compared in books.compared:
        assert compared.residual == 0
        assert compared.other.received > 0
        assert sum(compared.other.latency_us) == compared.other.received
        assert sum(compared.used.latency_us) == compared.used.received


def test_what_cannot_be_is_refused_and_all_stays_as_it_was() -> None:
    plan = [
        stream.Retune(buffer_bytes=5000),
        stream.Retune(buffer_bytes=1 << 31),
        stream.Retune(wakeup="sometimes"),
        stream.Compare(-1.0),
        stream.Retune("ringbuf"),
        stream.Retune(programs=["execsnoop"]),
    ]
    books, calls = run(plan, "--buffer", "16M")
    assert [n.level for n in books.notices] == ["error", "error", "error", "error", "info", "error"]
    texts = [n.text for n in books.notices]
    assert "Nearest: 4K or 8K" in texts[0]
    assert "4K) to 1G" in texts[1]
    assert "timer, adaptive, every and batch:N" in texts[2]
    assert "seconds" in texts[3]
    assert "already" in texts[4]
    assert "not running" in texts[5]
    assert books.changes == []
    books.assert_exact(calls)


def test_no_memory_for_a_larger_buffer() -> None:
    """The old buffers go on, and nothing is lost."""
    limit = ("prlimit", f"--as={1200 << 20}")
    plan = [stream.Retune(buffer_bytes=1 << 30), stream.Retune("other", buffer_bytes=1 << 30), stream.Retune("other")]
    books, calls = run(plan, "--buffer", "4M", command=(*limit, *LOCAL))
    assert [n.level for n in books.notices] == ["error", "error"]
    for notice in books.notices:
        assert "1G" in notice.text
        assert "--buffer" in notice.text
    assert [c.transport for c in books.changes] == ["perfbuf"]
    books.assert_exact(calls)


def test_a_capture_filter_waits_for_a_switch_that_is_under_way() -> None:
    """Both asked for at once: neither undoes the other."""
    flood, books = Flood(), Books()
    client = Client(["unlinksnoop", "--capture", ME, "--buffer", "16M"])
    try:
        states: list[stream.State] = []
        for message in client.messages():
            books.take(message)
            if isinstance(message, stream.State):
                states.append(message)
                if len(states) == 1:
                    flood.release()
                    client.send(stream.Retune("perfbuf"))
                    client.send(stream.SetCapture(f"{ME} and cpu=0"))
                    client.send(stream.Retune("ringbuf"))
                elif len(books.changes) == 2:
                    flood.stop()
                    client.send(stream.Stop())
        assert client.close() == 0
    finally:
        flood.stop()
        client.close()
    assert states[-1].capture.endswith("cpu=0")
    assert states[-1].transport == "ringbuf"
    assert all(c.emitted == c.received + sum(c.dropped.values()) for part in books.stats for c in part.cpus)
    assert sum(c.filtered for part in books.stats for c in part.cpus if c.cpu) > 0 or os.cpu_count() == 1


def test_a_switch_that_fails_is_undone_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel had been told already, and events went the new way."""
    wait, waits = syscall.wait_for_programs, itertools.count()

    def fail_once() -> None:
        if next(waits):
            return wait()
        for number in range(PRIME):
            (tmp_path / str(number)).touch()
            (tmp_path / str(number)).unlink()
        raise OSError(errno.EINVAL, "no grace period")

    monkeypatch.setattr(syscall, "wait_for_programs", fail_once)
    tracer = load_tracer("unlinksnoop", Kernel(), CollectorOptions(capture=f"pid={os.getpid()}"))
    try:
        tracer.attach()
        tracer.changes.retune(stream.Retune("perfbuf"))
        received = 0
        while tracer.changes.changing:
            received += len(tracer.drain(1 << 62).batch)
        (notice,) = tracer.changes.news
        assert isinstance(notice, stream.Notice)
        assert "no grace period" in notice.text
        tracer.stop()
        batch, audit = tracer.drain(1 << 62, audit=True)
        received += len(batch)
        over_perf, over_ring = tracer.stats(audit)
        assert (over_perf.transport, over_ring.transport) == ("perfbuf", "ringbuf")
        assert sum(c.received for c in over_perf.cpus) == received == PRIME
        assert sum(c.emitted for c in over_perf.cpus) == PRIME
    finally:
        tracer.close()
