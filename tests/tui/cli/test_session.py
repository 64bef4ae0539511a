"""A command on a collector ends as it should: whatever the collector says, and however it ends."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from ringtop.bpf import stream
from ringtop.bpf.common.errors import CANNOT_TRACE, CannotTrace
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.cli import ending, session, top
from ringtop.tui.cli.output import Output
from ringtop.tui.cli.record import Recording
from ringtop.tui.cli.session import Session
from ringtop.tui.source import client as source
from ringtop.tui.source.client import CollectorDied
from ringtop.tui.source.recording import Recorder, read
from tests.tui.source.recordings import hello, round_at, stats_at

OPTIONS = CollectorOptions(programs=("execsnoop", "unlinksnoop"))
RUNNING = stream.State("execsnoop", "running")
FAILED = stream.State("unlinksnoop", "failed", reason="no hook for it")
WHOLE = (hello(), RUNNING, FAILED, round_at(1), stats_at(2), stream.End("done"))


class Client:
    """A collector that says *messages*, then ends, or raises *error*."""

    def __init__(self, messages: Sequence[stream.AnyMessage], error: Exception | None = None, status: int = 0) -> None:
        self.heard = messages
        self.error, self.status = error, status
        self.sent: list[stream.Control] = []
        self.closed = 0

    def messages(self) -> Iterator[stream.AnyMessage]:
        """All of them."""
        yield from self.heard
        if self.error is not None:
            raise self.error

    def send(self, control: stream.Control) -> None:
        """Remember it."""
        self.sent.append(control)

    def close(self, patience: float = 0) -> int:
        """End it."""
        self.closed += 1
        return self.status


class Heard(Session):
    """Remembers what it is told, and when."""

    def __init__(self, client: Client | source.Client, duration: float | None = None) -> None:
        super().__init__(client, OPTIONS.programs, duration)  # type: ignore[arg-type]
        self.log: list[str] = []

    def hear(self, message: stream.AnyMessage) -> None:
        """The name of its kind."""
        self.log.append(type(message).__name__)

    def begun(self) -> None:
        """In between."""
        self.log.append("begun")

    def finish(self, status: int) -> int:
        """At the end."""
        self.log.append("finish")
        return status + 40


@pytest.fixture(autouse=True)
def no_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """The signals of the test's own process are not touched."""
    for where in (session, ending):
        monkeypatch.setattr(where, "when_told", lambda act: None)
        monkeypatch.setattr(where, "when_unheard", lambda fd, act: None)


def test_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    client = Client(WHOLE, status=1)
    heard = Heard(client)
    assert heard.run(2) == 41
    assert heard.log == ["Hello", "State", "State", "begun", "Round", "Stats", "End", "finish"]
    assert heard.stats == WHOLE[-2]
    assert client.closed == 1
    assert capsys.readouterr().err == "ringtop: no hook for it\n"


SLOW = """
import os, sys, time
os.write(1, {stream!r})
os.close(1)
time.sleep(3)
sys.exit(2)
"""
"""A collector that has said all, and takes its time to leave."""


def test_a_collector_that_is_slow_to_leave_keeps_its_exit_status() -> None:
    said = stream.MAGIC + b"".join(map(stream.encode, WHOLE))
    heard = Heard(source.Client((), (sys.executable, "-c", SLOW.format(stream=said))))
    assert heard.run(2) == 42


def test_a_change_of_state_is_no_second_beginning() -> None:
    heard = Heard(Client([RUNNING, FAILED, RUNNING, FAILED]))
    heard.run(2)
    assert heard.log.count("begun") == 1


@pytest.mark.parametrize(
    ("messages", "error", "status", "said"),
    [
        ((hello(), RUNNING), CollectorDied(-signal.SIGKILL, ""), 1, "killed by SIGKILL"),
        ((hello(), RUNNING), stream.StreamError("damaged message"), 1, "damaged message"),
        ((hello(), FAILED), CollectorDied(CANNOT_TRACE, "ringtop: a: b\nc"), CANNOT_TRACE, "no hook for it"),
    ],
)
def test_before_its_end(
    capsys: pytest.CaptureFixture[str],
    messages: Sequence[stream.AnyMessage],
    error: Exception,
    status: int,
    said: str,
) -> None:
    heard = Heard(Client(messages, error))
    assert heard.run(2) == status
    assert "finish" not in heard.log
    assert said in capsys.readouterr().err


def test_that_nothing_can_be_traced_is_told_with_the_cure() -> None:
    with pytest.raises(CannotTrace, match="cannot trace") as told:
        Heard(Client([], CollectorDied(CANNOT_TRACE, "ringtop: cannot trace: not root\nbecome root"))).run(2)
    assert (told.value.why, told.value.cure) == ("not root", "become root")


def test_an_output_that_fails_ends_the_collector() -> None:
    class Full(Heard):
        def hear(self, message: stream.AnyMessage) -> None:
            raise OSError(28, "No space left on device")

    client = Client(WHOLE)
    with pytest.raises(OSError, match="No space left"):
        Full(client).run(2)
    assert client.closed == 1


@pytest.mark.parametrize(("messages", "kept"), [(WHOLE[:4], True), (WHOLE[:3], False)])
def test_a_recording_that_was_cut_short_is_kept_if_it_has_events(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], messages: Sequence[stream.AnyMessage], kept: bool
) -> None:
    file = tmp_path / "file.ringtop"
    client = Client([m for m in messages if m is not FAILED], CollectorDied(-signal.SIGKILL, ""))
    recording = Recording(client, OPTIONS, Recorder(file))  # type: ignore[arg-type]
    assert recording.run(2) == 1
    assert file.exists() == kept
    assert ("has the events up to then" if kept else "no event was recorded") in capsys.readouterr().err


def test_a_recording_is_what_was_heard(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file.ringtop"
    recording = Recording(Client(WHOLE), OPTIONS, Recorder(file))  # type: ignore[arg-type]
    assert recording.run(2) == 0
    assert tuple(read(file)) == WHOLE
    assert "3 events in" in capsys.readouterr().err


@pytest.mark.parametrize(("state", "printed"), [(RUNNING, True), (FAILED, False)])
def test_a_report_of_nothing_is_not_a_report_of_quiet(
    capfd: pytest.CaptureFixture[str], state: stream.State, printed: bool
) -> None:
    options = top.TopOptions(OPTIONS)
    run = top.Run(options, top._top(options, None), Output(options.style), top._writer("table", False))
    client = Client((hello(), state), CollectorDied(CANNOT_TRACE, "ringtop: cannot trace: not root\nbecome root"))
    with suppress(CannotTrace):
        top.Live(client, options, run).run(2)  # type: ignore[arg-type]
    assert ("quiet for" in capfd.readouterr().out) == printed
