"""``ringtop replay --format``: recordings are asked again, as lines."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ringtop.bpf import stream
from ringtop.tui.source.recording import Recorder
from tests.samples import make
from tests.tui.cli.test_top import ledger, round_of
from tests.tui.source.recordings import SECOND, START, hello
from tests.tui.top.events import MS, deletions, execs

pytestmark = pytest.mark.slow
REPLAY = (sys.executable, "-m", "ringtop.tui", "replay")
EVENTS = 10 * (23 + 7)


def write(file: Path, lost: int = 0, shift_ns: int = 0) -> Path:
    """Ten seconds from 22:13:20 UTC: 23 deletions and 7 execs each, of which 2 fail."""
    with Recorder(file) as recorder:
        recorder.write(hello())
        for second in range(10):
            at = START + second * SECOND + shift_ns
            failed = execs(b"/x/gone", count=2, ts=at + 2 * MS, ret=-2)
            batches = [
                make("execsnoop", [*execs(b"/bin/a", count=5, ts=at + MS), *failed]),
                deletions([b"/tmp/%d" % i for i in range(23)], ts=at),
            ]
            recorder.write(round_of(second + 0.9, *batches))
            recorder.write(ledger(second + 0.99, lost))
        recorder.write(stream.End("done"))
    return file


def replay(*arguments: str | Path, status: int = 0, stdin: bytes = b"") -> str:
    """What it prints; where it fails, what it says."""
    ended = subprocess.run(
        [*REPLAY, *map(str, arguments)], input=stdin, capture_output=True, timeout=120, env={"TZ": "UTC", "HOME": "/"}
    )
    assert ended.returncode == status, ended.stderr
    assert b"Traceback" not in ended.stderr
    return (ended.stderr if status in (1, 2) else ended.stdout).decode()


def events(*arguments: str | Path, status: int = 0, stdin: bytes = b"") -> list[dict[str, Any]]:
    """The events that it prints as JSON."""
    return [
        json.loads(line) for line in replay(*arguments, "--format", "json", status=status, stdin=stdin).splitlines()
    ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "a.ringtop")


def test_all_events_in_time_order(file: Path) -> None:
    found = events(file)
    assert len(found) == EVENTS
    assert [e["ts_ns"] for e in found] == sorted(e["ts_ns"] for e in found)
    assert found[0]["time"] == "2023-11-14T22:13:20.000000000Z"


def test_the_same_from_a_pipe(file: Path) -> None:
    assert replay("-", "--format", "csv", stdin=file.read_bytes()) == replay(file, "--format", "csv")
    rows = list(csv.DictReader(replay(file, "--format", "csv").splitlines()))
    assert len(rows) == EVENTS


@pytest.mark.parametrize("more", [0, 1])
def test_a_pipe_is_printed_as_it_comes_and_a_signal_ends_the_wait_for_more(file: Path, more: int) -> None:
    others = [write(file.parent / "b.ringtop", shift_ns=SECOND // 2)] * more
    command = [*REPLAY, "-", *map(str, others), "--format", "json"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(file.read_bytes())
        process.stdin.flush()
        assert [process.stdout.readline()[:1] for _ in range(EVENTS * (1 + more))] == [b"{"] * EVENTS * (1 + more)
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == b""
    assert process.returncode == 0


def test_a_recording_that_is_given_twice_is_refused(file: Path) -> None:
    twice = file.parent / "." / file.name
    assert f"{file} is given twice" in replay(file, twice, "--format", "json", status=2)


def test_any_time_is_before_or_after_a_recording(file: Path) -> None:
    for late in ("999999999h", "2400-01-01 00:00"):  # beyond 64 bits of nanoseconds
        assert not events(file, "--since", late)
        assert len(events(file, "--until", late)) == EVENTS


def test_filter_and_count(file: Path) -> None:
    assert len(events(file, "--filter", "ret<0")) == 20
    assert len(events(file, "--filter", "ret<0", "--count", "7")) == 7
    assert len(events(file, "--filter", "ret<0", "--count", "23", status=6)) == 20


@pytest.mark.parametrize(
    ("since", "until", "seconds"),
    [
        ("22:13:23", "22:13:25.5", {3, 4, 5}),
        ("2023-11-14 22:13:28", None, {8, 9}),
        (None, "2023-11-14T22:13:21.5", {0, 1}),
        ("2023-11-15 22:13:28", None, set()),
        ("6.1s", "8s", {7, 8}),
    ],
)
def test_from_and_to_a_time(file: Path, since: str | None, until: str | None, seconds: set[int]) -> None:
    asked = [*(("--since", since) if since else ()), *(("--until", until) if until else ())]
    found = events(file, *asked)
    assert {(e["ts_ns"] - START) // SECOND for e in found} == seconds
    assert len(found) == 30 * len(seconds)


def test_several_are_printed_together_in_time_order(file: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "b.ringtop", shift_ns=SECOND // 2)
    found = events(file, other, "--summary", tmp_path / "sum")
    assert len(found) == 2 * EVENTS
    assert [e["ts_ns"] for e in found] == sorted(e["ts_ns"] for e in found)
    assert list(json.loads((tmp_path / "sum").read_text())) == [str(file), str(other)]


def test_the_ledger_is_checked(file: Path, tmp_path: Path) -> None:
    assert len(events(file, "--check", "--summary", tmp_path / "sum")) == EVENTS
    assert json.loads((tmp_path / "sum").read_text())["unlinksnoop"]["dropped"] == {"full": 0}
    assert len(events(write(tmp_path / "b.ringtop", lost=1207), "--check", status=4)) == EVENTS


def test_damage_is_told_after_all_that_is_whole(file: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.ringtop"
    cut.write_bytes(file.read_bytes()[:-8])
    assert "cut.ringtop: read up to byte" in replay(cut, "--format", "json", status=1)


def test_a_recording_is_not_replaced_by_its_summary(file: Path) -> None:
    before = file.read_bytes()
    assert "would replace the recording" in replay(file, "--format", "json", "--summary", file, status=2)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{file}", "--count", "3"], "--count is not for the viewer: give --format"),
        (["{file}", "--filter", "ret<0"], "--filter is not for the viewer: give --format"),
        (["{file}", "{file}"], "the viewer shows one file"),
        (["-"], "the viewer shows one file"),
        (["-", "-", "--format", "json"], "- is given twice"),
        (["nosuch", "--format", "json"], "nosuch cannot be read: No such file"),
        (["{pipe}", "--format", "json"], "a pipe is read as standard input: - <"),
        (["{pipe}"], "a pipe is read as standard input: - <"),
        (["/etc/passwd", "--format", "json"], "cannot be replayed: it is not a recording"),
        (["{file}", "--format", "json", "--speed", "2"], "--speed is for the viewer"),
        (["{file}", "--format", "json", "--since", "soon"], "is not a time; write 14:03:20"),
        (["{file}", "--format", "json", "--since", "9" * 400], "is not a time"),
        (["{file}", "--format", "json", "--since", "2023-02-30 10:00"], "is not a date"),
        (["{file}", "--format", "json", "--since", "9s", "--until", "3s"], "--until 3s is before --since 9s"),
    ],
)
def test_what_cannot_be_is_said(file: Path, arguments: list[str], told: str) -> None:
    pipe = file.with_name("pipe")
    os.mkfifo(pipe)
    assert told in replay(*(a.format(file=file, pipe=pipe) for a in arguments), status=2)
