"""What a command prints reaches standard output, or the command says in one line why it does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ringtop.bpf import stream
from ringtop.tui.source.recording import Recorder
from tests.tui.source.recordings import SECOND, START, hello, messages
from tests.tui.top.events import deletions

pytestmark = pytest.mark.slow
RINGTOP = (sys.executable, "-m", "ringtop.tui")
FULL = "ringtop: standard output cannot be written: No space left on device. Everything written before is kept.\n"
NAMES = [b"/\xf0\x9f\x98\x80/x", "/é/x".encode(), b"/\xe9/x", b"/\\xe9/x"]
"""A character outside of every old encoding, one of Latin-1, a byte that is no UTF-8, and the escape of that byte."""


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """The deletions of NAMES."""
    file = tmp_path / "file.ringtop"
    with Recorder(file) as recorder:
        recorder.write(hello())
        recorder.write(stream.Round(START, START + SECOND, [stream.rows(deletions(NAMES, ts=START))]))
        recorder.write(stream.End("done"))
    return file


@pytest.mark.parametrize("style", ["json", "csv"])
def test_what_is_for_programs_is_the_same_in_every_locale(recording: Path, style: str) -> None:
    command = [*RINGTOP, "top", "--replay", str(recording), "--by", "unlinksnoop=dir1", "--format", style]
    printed = set()
    for encoding in ("utf-8", "ascii", "iso-8859-1"):
        ended = subprocess.run(
            command, env=os.environ | {"PYTHONIOENCODING": encoding}, capture_output=True, check=True
        )
        printed.add(ended.stdout)
    (out,) = printed
    text = out.decode()
    if style == "json":
        json.loads(text)
    assert all(name in text for name in ("😀", "é"))


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["top", "--replay", "FILE"]])
def test_a_full_disk_is_one_line(tmp_path: Path, arguments: list[str]) -> None:
    file = tmp_path / "file.ringtop"
    with Recorder(file) as recorder:
        for message in messages():
            recorder.write(message)
    command = [*RINGTOP, *(str(file) if word == "FILE" else word for word in arguments)]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (ended.returncode, ended.stderr) == (1, FULL)


@pytest.mark.parametrize("closed", [0, 1, 2])
@pytest.mark.parametrize("arguments", [["--help"], ["top", "--replay", "FILE"], ["replay", "FILE"]])
def test_each_standard_file_may_be_closed(recording: Path, closed: int, arguments: list[str]) -> None:
    words = [str(recording) if word == "FILE" else word for word in arguments]
    ended = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}>&-', "sh", *RINGTOP, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == (2 if arguments[0] == "replay" else 0)  # a replay needs a terminal
    assert "Traceback" not in ended.stderr
    assert bool(ended.stdout) == (closed != 1 and arguments[0] != "replay")
    assert bool(ended.stderr) == (closed != 2 and arguments[0] == "replay")


@pytest.mark.parametrize("given", ["nan", "inf", "1e10", "0", "-1", "x"])
@pytest.mark.parametrize("flag", ["--duration", "--every"])
def test_a_number_that_makes_no_sense_is_refused_with_its_limits(flag: str, given: str) -> None:
    ended = subprocess.run([*RINGTOP, "top", f"{flag}={given}"], capture_output=True, text=True)
    assert ended.returncode == 2
    assert f"{given!r} is not a number from 0." in ended.stderr
    assert "to 31536000" in ended.stderr
