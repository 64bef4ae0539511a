"""The collector obeys well-formed control messages while events flow, and survives the others."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from ringtop.bpf import stream
from ringtop.tui.lines.summary import summarize
from ringtop.tui.source.client import Client, CollectorDied
from tests.kernel.loads import Storm, run_programs
from tests.kernel.tracing import PRIME, assert_balanced


class Listener:
    """A client whose messages are taken one by one."""

    def __init__(self, *options: str) -> None:
        self.client = Client(["execsnoop", *options])
        self.seen: list[Any] = []
        self._messages = self.client.messages()
        self.until(stream.State)

    def until(self, kind: type) -> Any:
        """The next message of *kind*."""
        for message in self._messages:
            self.seen.append(message)
            if isinstance(message, kind):
                return message
        raise AssertionError(f"the stream ended without a {kind.__name__}")

    def events(self) -> list[int]:
        """The pids of all events seen."""
        rounds = [m for m in self.seen if isinstance(m, stream.Round)]
        return [pid for r in rounds for rows in r.batches for pid in stream.batch(rows).rows["pid"].tolist()]


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A collector of execsnoop that captures this process's children."""
    one = Listener("--capture", f"ppid={os.getpid()}")
    yield one
    one.client.close()


def test_the_capture_filter_changes_while_events_flow(listener: Listener) -> None:
    first = run_programs(PRIME)
    listener.client.send(stream.SetCapture("pid=1"))
    assert listener.until(stream.State).capture == "pid=1"
    run_programs(PRIME)
    listener.client.send(stream.SetCapture(f"ppid={os.getpid()} and ret=0"))
    listener.until(stream.State)
    last = run_programs(PRIME)
    listener.client.send(stream.Stop())
    listener.until(stream.End)
    assert listener.events() == first + last
    stats = [m for m in listener.seen if isinstance(m, stream.Stats)][-1]
    assert_balanced(summarize(stats, {}))


def test_a_bad_capture_filter_leaves_the_old_one(listener: Listener) -> None:
    for bad in ("pid=", "argv~x", "nonsense", "(" * 5000):
        listener.client.send(stream.SetCapture(bad))
        assert listener.until(stream.Notice).level == "error"
    pids = run_programs(PRIME)
    listener.client.send(stream.Stop())
    listener.until(stream.End)
    assert listener.events() == pids


@pytest.mark.parametrize(
    "garbage", [b"\x03\0\0\0abc", b"\x01\0\0\0\x80", b"\0" * 100, b"\x05\0\0\0\xdf\xff\xff\xff\xff"]
)
def test_what_is_no_control_message_is_refused(listener: Listener, garbage: bytes) -> None:
    os.write(listener.client.process.stdin.fileno(), garbage)  # type: ignore[union-attr]
    assert "control message" in listener.until(stream.Notice).text
    pids = run_programs(PRIME)
    listener.client.send(stream.Stop())
    listener.until(stream.End)
    assert listener.events() == pids


def test_a_frame_too_large_to_be_one_ends_it_in_order(listener: Listener) -> None:
    os.write(listener.client.process.stdin.fileno(), b"\xff\xff\xff\xff")  # type: ignore[union-attr]
    assert "control" in listener.until(stream.End).reason
    assert listener.client.process.wait(120) == 0


def test_what_comes_too_fast_or_is_too_long_is_refused(listener: Listener) -> None:
    for text in ["pid=1" + " " * 5000, *["pid=1"] * 1000]:
        listener.client.send(stream.SetCapture(text))
    while "in a second" not in listener.until(stream.Notice).text:
        continue
    pids = run_programs(PRIME)
    listener.client.send(stream.SetCapture("comm=true", programs=["x" * 65]))
    listener.client.send(stream.Stop())
    listener.until(stream.End)
    told = [m.text for m in listener.seen if isinstance(m, stream.Notice)]
    assert any("4096" in text for text in told)
    assert any("control messages came in a second" in text for text in told)
    assert len(told) < 20
    states = [m for m in listener.seen if isinstance(m, stream.State)]
    assert len(states) <= 1 + 200 * (1 + sum(isinstance(m, stream.Stats) for m in listener.seen))
    assert not set(listener.events()) & set(pids), "the last filter obeyed was pid=1"


def test_a_collector_that_dies_is_told_apart(listener: Listener) -> None:
    listener.client.process.kill()
    with pytest.raises(CollectorDied) as died:
        listener.until(stream.End)
    assert died.value.status == -9


def test_the_ledger_balances_at_every_moment() -> None:
    storm = Storm(100_000)
    live = Client(["unlinksnoop", "--buffer", "64K", "--capture", f"ppid={os.getpid()}"])
    audits = 0
    for message in live.messages():
        if isinstance(message, stream.State):
            storm.release()
        if isinstance(message, stream.Stats):
            cpus = message.programs[0].cpus
            left = [c.emitted - c.received - sum(c.dropped.values()) for c in cpus]
            # While the storm goes on, a CPU may be writing the one event that is counted and not there yet.
            assert all(n in (0, 1) for n in left), left
            audits += any(c.emitted for c in cpus)
            if storm.over():
                live.send(stream.Stop())
    live.close()
    assert audits >= 2
    assert left == [0] * len(left)
    assert sum(c.emitted for c in cpus) == storm.total


def test_events_of_two_cpus_come_in_time_order(listener: Listener) -> None:
    loop = "for i in $(seq 200); do /bin/true; done"
    listener.client.send(stream.SetCapture("comm=true"))
    listener.until(stream.State)  # in force
    both = [
        subprocess.Popen(["taskset", "-c", str(cpu), "bash", "-c", loop]) for cpu in sorted(os.sched_getaffinity(0))
    ]
    for one in both:
        one.wait()
    listener.client.send(stream.Stop())
    listener.until(stream.End)
    rounds = [m for m in listener.seen if isinstance(m, stream.Round)]
    stamps = [ts for r in rounds for rows in r.batches for ts in stream.batch(rows).rows["ts"].tolist()]
    assert len(stamps) >= 400
    assert stamps == sorted(stamps)
