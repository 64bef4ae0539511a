"""``ringtop top --replay``: the same bytes each time, whatever is asked of it, and a clear word when it cannot."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ringtop.bpf import stream
from ringtop.bpf.event.batch import Batch
from ringtop.tui.source.recording import Recorder
from ringtop.tui.source.replay import ReplaySource
from tests.samples import NASTY, make
from tests.terminal import Terminal
from tests.tui.source.recordings import SECOND, START, WALL, hello
from tests.tui.top.events import MS, deletions, execs, waits

pytestmark = pytest.mark.slow
RINGTOP = (sys.executable, "-m", "ringtop.tui", "top")


def round_of(second: float, *batches: Batch) -> stream.Round:
    """A round that ends then."""
    at = START + int(second * SECOND)
    return stream.Round(at, at, [stream.rows(batch) for batch in batches])


def ledger(second: float, lost: int) -> stream.Stats:
    """What unlinksnoop lost until then."""
    one = stream.CpuStats(
        cpu=0, hits=0, filtered=93, emitted=0, received=0, dropped={"full": lost}, bytes=0, gaps=0, lost_records=0,
        fill=0, peak=0, inversions=0,
    )  # fmt: skip
    part = stream.ProgramStats("unlinksnoop", "ringbuf", [one], 0, 0, 0, [], 0)
    return stream.Stats(START + int(second * SECOND), WALL, [part], 0, 0)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Ten seconds of all three programs, with hostile names, and losses in the fifth."""
    file = tmp_path / "file.ringtop"
    with Recorder(file) as recorder:
        recorder.write(hello())
        for second in range(10):
            at = START + second * SECOND
            recorder.write(
                round_of(
                    second + 0.9,
                    waits(b"cc1", [20 * MS] * 23, ts=at),
                    make("execsnoop", [*execs(b"/bin/a", count=5, ts=at), *execs(b"/x/gone", count=2, ts=at, ret=-2)]),
                    deletions([b"/tmp/%d" % i for i in range(23)] + [b"/" + name for name in NASTY], ts=at),
                )
            )
            recorder.write(ledger(second + 0.99, 1207 if second >= 5 else 0))
        recorder.write(stream.End("done"))
    return file


def top(*arguments: str | Path, status: int = 0) -> str:
    """What it prints; where it fails, what it says."""
    ended = subprocess.run([*RINGTOP, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert ended.returncode == status, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stdout if status in (0, 4) else ended.stderr


def test_a_recording_shows_the_programs_that_it_is_of(tmp_path: Path) -> None:
    file = tmp_path / "ends.ringtop"
    with Recorder(file) as recorder:
        recorder.write(hello("1", "exitsnoop"))
        started = make("execsnoop", execs(b"/bin/a", ts=START))
        ended = make("exitsnoop", [{"ts": START + 9 * MS, "pid": 1000, "comm": b"a", "ran": 9 * MS, "age": SECOND}])
        recorder.write(round_of(1, ended, started))
        recorder.write(stream.End("done"))
    (told,) = reports("--replay", file)
    assert [one["program"] for one in told] == ["runqslower", "execsnoop", "unlinksnoop", "exitsnoop", "all"]
    assert (told[1]["rows"][0]["ran_ns"], told[3]["rows"][0]["count"]) == (9 * MS, 1)
    assert ReplaySource(file).programs() == ("runqslower", "execsnoop", "unlinksnoop", "exitsnoop")
    (told,) = reports("execsnoop", "--replay", file)
    assert [one["program"] for one in told] == ["execsnoop"]


@pytest.mark.parametrize(
    ("environment", "bold"),
    [("TERM=xterm", True), ("TERM=dumb", False), ("--unset=TERM", False), ("TERM=", False), ("NO_COLOR=1", False)],
)
def test_titles_are_bold_where_the_terminal_can_show_it(recording: Path, environment: str, bold: bool) -> None:
    terminal = Terminal(["env", environment, *RINGTOP, "--replay", str(recording)])
    try:
        assert terminal.wait() == 0
    finally:
        terminal.close()
    assert b"execsnoop" in terminal.written
    assert (b"\x1b[1m" in terminal.written) == bold
    assert (b"\x1b" in terminal.written) == bold


def reports(*arguments: str | Path) -> list[list[dict[str, Any]]]:
    """Of JSON."""
    lines = top(*arguments, "--format", "json").splitlines()
    return [json.loads(line)["programs"] for line in lines]


@pytest.mark.parametrize("style", ["json", "csv", "table"])
def test_each_replay_gives_the_same_bytes(recording: Path, style: str) -> None:
    assert top("--replay", recording, "--format", style) == top("--replay", recording, "--format", style)


def test_fields_and_sums(recording: Path) -> None:
    (told,) = reports("--replay", recording, "--rows", "2")
    runq, execs_, unlinks, across = told
    assert [t["program"] for t in told] == ["runqslower", "execsnoop", "unlinksnoop", "all"]
    for one in told:
        assert sum(row["events"] for row in one["rows"]) + one["others"]["events"] == one["events"]
    assert across["events"] == sum(one["events"] for one in told[:3])
    assert (runq["rows"][0]["key"], runq["rows"][0]["count"], runq["rows"][0]["max_ns"]) == ("cc1", 230, 20 * MS)
    assert {row["key"]: (row["count"], row["failed"], row["errno"]) for row in execs_["rows"]} == {
        "a": (50, 0, None),
        "gone": (0, 18, "ENOENT"),
    }
    assert execs_["rows"][0]["search"] + execs_["rows"][1]["search"] == 2, "the last may be found yet"
    (row, *_) = unlinks["rows"]
    assert (row["parts"], row["count"]) == ({"comm": "rm", "dir": "/tmp/"}, 230)
    assert (unlinks["lost"], unlinks["exact"], unlinks["kept_out"]) == (1207, False, 93)
    assert row["share"] < 230 / unlinks["events"] < row["share_high"]
    assert unlinks["since"] == "2023-11-14T22:13:20.000000000Z"
    assert unlinks["verdict"].startswith("1,207 lost at ")


def test_csv_has_every_row_and_the_others(recording: Path) -> None:
    rows = list(
        csv.DictReader(top("unlinksnoop", "--replay", recording, "--format", "csv", "--rows", "3").splitlines())
    )
    assert len(rows) == 4
    (told,) = reports("unlinksnoop", "--replay", recording)
    assert sum(int(row["events"]) for row in rows) == told[0]["events"]
    assert [row["key"] for row in rows][-1] == ""


@pytest.mark.parametrize("style", ["json", "csv", "table"])
def test_nothing_printed_harms_a_terminal(recording: Path, style: str) -> None:
    for by in ("comm+dir", "comm+dir+name"):
        text = top("--replay", recording, "--format", style, "--rows", "100", "--by", f"unlinksnoop={by}")
        assert all(line.isprintable() for line in text.split("\n"))


def test_reports_meanwhile_are_by_the_events_clock(recording: Path) -> None:
    told = reports("runqslower", "--replay", recording, "--every", "2", "--window", "10s")
    assert [one["rows"][0]["count"] for (one,) in told] == [23 * n for n in (3, 5, 7, 9, 10)]


def test_a_part_of_a_recording(recording: Path) -> None:
    ((one,),) = reports("runqslower", "--replay", recording, "--duration", "4")
    assert one["events"] == 23 * 5


def test_a_filter_selects_what_is_folded(recording: Path) -> None:
    ((one,),) = reports("execsnoop", "--replay", recording, "--filter", "ret=0")
    assert [(row["key"], row["count"]) for row in one["rows"]] == [("a", 50)]


def test_losses_can_be_an_exit_status(recording: Path) -> None:
    top("--replay", recording, "--check", status=4)
    top("runqslower", "--replay", recording, "--check", status=0)


def test_a_recording_that_is_cut_is_told_as_far_as_it_goes(recording: Path, tmp_path: Path) -> None:
    whole = recording.read_bytes()
    cut = tmp_path / "cut.ringtop"
    for size in (9, len(whole) // 2, len(whole) - 3):
        cut.write_bytes(whole[:size])
        assert "ends" in top("--replay", cut, status=1) or "frame" in top("--replay", cut, status=1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--by", "execsnoop=nothing"], "only by program, subcommand, command"),
        (["--by", "comm"], "is not PROGRAM=KEY"),
        (["--by", "bash=comm"], "PROGRAM is one of runqslower, execsnoop, unlinksnoop, exitsnoop, all"),
        (["--sort", "colour"], "the columns are total, count"),
        (["--filter", "comm="], "a value is missing"),
        (["--replay", "/nonexistent/file"], "cannot be read"),
        (["--replay", "/bin/true"], "/bin/true cannot be replayed: it is not a recording of ringtop"),
        (["nosuch"], "nosuch"),
    ],
)
def test_what_cannot_be_is_said(arguments: list[str], said: str) -> None:
    assert said in top(*arguments, status=2)


def test_nobody_reads_it_any_more(recording: Path) -> None:
    ended = subprocess.run(
        ["sh", "-c", f"{' '.join(RINGTOP)} --replay {recording} --every 0.1 --format csv | head -1"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (ended.stdout.count("\n"), ended.stderr) == (1, "")


@pytest.mark.slow
def test_ctrl_c_prints_what_there_is(tmp_path: Path) -> None:
    file = tmp_path / "long.ringtop"
    with Recorder(file) as recorder:
        recorder.write(hello())
        for second in range(2000):
            recorder.write(round_of(second, waits(b"a", [MS] * 500, ts=START + second * SECOND)))
    process = subprocess.Popen(
        [*RINGTOP, "runqslower", "--replay", str(file), "--every", "1", "--format", "json"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    json.loads(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    lines = process.stdout.read().splitlines()
    assert process.wait() == 0
    assert json.loads(lines[-1])["programs"][0]["events"] % 500 == 0
