"""A collector that is told to end does so, or is ended, whatever state it is in; with and without a broker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ringtop.bpf import stream
from ringtop.tui.process import own
from ringtop.tui.source.broker import Broker
from ringtop.tui.source.client import Client, CollectorDied
from ringtop.tui.source.live import LiveSource
from ringtop.tui.source.source import Item, Lost
from tests.processes import ended

pytestmark = pytest.mark.slow
BEGINS = f"""
import os, signal, sys, time
def say(): os.write(1, {stream.MAGIC + stream.encode(stream.Progress("execsnoop", "loading execsnoop"))!r})
"""
"""Any collector."""
OBEYS = "say(); sys.stdin.read(); sys.exit(7)"
"""One that ends when its input does."""
HEARS = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7)); say(); time.sleep(3600)"
"""One that only a signal reaches."""
DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN); say(); time.sleep(3600)"
STOPPED = "say(); os.kill(os.getpid(), signal.SIGSTOP)"

Start = Callable[[str], Client]


def by_itself(code: str) -> Client:
    """The reader's own child."""
    return Client((), (sys.executable, "-c", BEGINS + code))


def by_broker(code: str) -> Client:
    """The broker's child."""
    return Client((), broker=Broker([sys.executable, "-c", BEGINS + code], {}))


@pytest.fixture(params=[by_itself, by_broker])
def start(request: pytest.FixtureRequest) -> Start:
    """Start a collector that runs some Python."""
    started: Start = request.param
    return started


@pytest.mark.parametrize(
    ("code", "status"), [(OBEYS, 7), (HEARS, 7), (DEAF, -signal.SIGKILL), (STOPPED, -signal.SIGKILL)]
)
def test_it_ends_by_its_input_by_a_signal_or_by_force(start: Start, code: str, status: int) -> None:
    client = start(code)
    client.begin()
    assert client.close() == status
    assert client.close() == status, "once more"
    assert ended([client.process.pid])


def test_a_reader_may_rest_after_each_read(start: Start) -> None:
    reads: list[int] = []

    def rest(size: int) -> float:
        reads.append(size)
        client.close()
        return 0.0

    client = start(OBEYS)
    with pytest.raises(CollectorDied):
        list(client.messages(rest))
    assert reads == [len(stream.MAGIC + stream.encode(stream.Progress("execsnoop", "loading execsnoop")))]


def test_a_collector_that_waits_is_no_collector_that_ended(start: Start) -> None:
    client = start(OBEYS)
    with pytest.raises(subprocess.TimeoutExpired):
        client.process.wait(0.01)
    client.begin()
    assert client.close() == 7


def test_without_its_broker_nothing_is_waited_for() -> None:
    broker = Broker([sys.executable, "-c", BEGINS + OBEYS], {})
    client = Client((), broker=broker)
    broker._socket.close()
    assert client.close() == 1
    assert ended([client.process.pid]), "its input ended"
    with pytest.raises(OSError, match="does not answer; leave"):
        broker.start()


def test_the_broker_has_nothing_of_the_viewer_in_memory() -> None:
    import numpy  # noqa: F401  # which is mapped from now on

    broker = Broker([sys.executable, "-c", BEGINS + OBEYS], {})
    client = Client((), broker=broker)
    client.begin()
    here, there = (Path(f"/proc/{pid}/maps").read_text() for pid in ("self", broker.pid))
    assert "numpy" in here
    assert "numpy" not in there
    assert client.close() == 7


def test_the_broker_creates_recordings_in_one_folder_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "link.ringtop").symlink_to(tmp_path / "target.ringtop")
    (tmp_path / "inside" / "there.ringtop").touch()
    broker = Broker([sys.executable, "-c", BEGINS + OBEYS], {}, tmp_path / "inside")
    client = Client((), broker=broker)
    with broker.create(Path("/anywhere/host-20260101-000000.ringtop")) as file:
        file.write(b"events")
    made = tmp_path / "inside" / "host-20260101-000000.ringtop"
    assert (made.read_bytes(), oct(made.stat().st_mode & 0o777), made.stat().st_uid) == (
        b"events",
        "0o600",
        os.getuid(),
    )
    for name, error in [("link.ringtop", "exists"), ("there.ringtop", "exists"), (".bashrc", "not permitted")]:
        with pytest.raises(OSError, match=error):
            broker.create(Path(name))
    broker.tell(b"r", name=b"../out.ringtop")
    assert broker._socket.recv(4) == (1).to_bytes(4, "little")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["inside"]
    client.begin()
    assert client.close() == 7


def test_one_collector_at_a_time() -> None:
    broker = Broker([sys.executable, "-c", BEGINS + OBEYS], {})
    first = Client((), broker=broker)
    with pytest.raises(BlockingIOError, match="has not ended"):
        broker.start()
    first.begin()
    assert first.close() == 7
    second = Client((), broker=broker)
    second.begin()
    assert second.close() == 7


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("seconds", [0.0, 0.2])
def test_the_pipe_stays_open_while_it_is_read(start: Start, seconds: float) -> None:
    """Whatever the reader is at when the source is stopped: about to read, or busy with what it read."""
    posted: list[Item] = []

    def post(item: Item) -> None:
        time.sleep(seconds)
        posted.append(item)

    for _ in range(5):
        source = LiveSource(lambda: start(OBEYS))
        source.start(post)
        source.stop()
        assert source._thread is not None
        source._thread.join(60)
        assert {type(item) for item in posted} <= {stream.Progress}


class Posted(list[Item]):
    """What was posted, and a way to wait for it."""

    def __init__(self) -> None:
        self._more = threading.Condition()

    def __call__(self, item: Item) -> None:
        with self._more:
            self.append(item)
            self._more.notify()

    def has(self, count: int) -> bool:
        """Whether so many come."""
        with self._more:
            return self._more.wait_for(lambda: len(self) >= count, 60)


def test_what_it_says_before_its_end_is_posted() -> None:
    """The last figures belong to a recording."""
    end = stream.encode(stream.End("stopped"))
    posted = Posted()
    source = LiveSource(lambda: by_itself(f"say(); sys.stdin.read(); os.write(1, {end!r})"))
    source.start(posted)
    assert posted.has(1)
    source.stop()
    assert posted[1:] == [stream.End("stopped")]


def test_a_death_that_nobody_asked_for_is_told() -> None:
    posted = Posted()
    source = LiveSource(lambda: by_itself("say(); sys.exit('no')"))
    source.start(posted)
    assert posted.has(2)
    source.stop()
    assert posted[1:] == [Lost("exit status 1", "no")]


def test_the_costs_call_a_broker_by_its_name() -> None:
    client = by_broker(OBEYS)
    client.begin()
    assert "broker" in [process.name for process in own.processes(client.process.pid)]
    assert client.close() == 7
