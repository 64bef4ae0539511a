"""Whatever stands in a file or comes in a stream, ringtop holds no more than 200 MiB, seen from outside, and says what
is wrong."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from ringtop.bpf import stream
from ringtop.bpf.event.schema import SCHEMAS
from tests.tui.source.recordings import hello

pytestmark = pytest.mark.slow
MOST_MIB = 200
RINGTOP = (sys.executable, "-m", "ringtop.tui")
MEASURED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, stdin=subprocess.DEVNULL)
sys.stdout.buffer.write(done.stdout + done.stderr)
print(f"\\n{done.returncode} {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10}")
"""
"""Runs a command, from a small process: a child's peak begins with the memory of the process that it is forked from."""
THEMES = """
import sys
from pathlib import Path
from ringtop.tui.settings import themes, toml
print(themes.load_all(toml.sources(Path(sys.argv[1])))[1])
"""
STATE = """
from ringtop.tui.settings import state
print(state.load()[1])
"""
PLAYED = """
import sys
from pathlib import Path
from ringtop.tui.source.player import Player, index
print(index(Path(sys.argv[1])).damage)
player = Player(Path(sys.argv[1]))
for now in range(1, 100):
    player.due(float(now))
"""
READ = """
import sys
from ringtop.tui.source.client import Client
try:
    for message in Client((), ("cat", sys.argv[1])).messages():
        pass
except Exception as e:
    print(type(e).__name__, e)
"""
TOLD = """
import os, sys
from ringtop.bpf.collector.controls import Controls
said = []
fd = os.open(sys.argv[1], os.O_RDONLY)
controls = Controls(fd, {}, said.append, said.append, said.append, None)
while os.lseek(fd, 0, os.SEEK_CUR) < os.fstat(fd).st_size:
    controls.read()
print(len(said))
"""


def measured(*command: str, **environment: str) -> tuple[str, int, int]:
    """What *command* prints, its exit status, and its peak of memory in MiB."""
    run = [sys.executable, "-S", "-c", MEASURED, *command]
    done = subprocess.run(run, capture_output=True, text=True, check=True, env=os.environ | environment, timeout=120)
    said, _, figures = done.stdout.strip().rpartition("\n")
    status, mebibytes = map(int, figures.split())
    return said, status, mebibytes


TOML = {
    "a key of many parts": ".".join(["a"] * 10_000) + " = 1\n",
    "a table of many parts": f"[{'.'.join(['a'] * 10_000)}]\n",
    "a key in a table in a line": f"a = {{{'.'.join(['a'] * 10_000)} = 1}}\n",
    "parts in quotes": ".".join(['"a"'] * 10_000) + " = 1\n",
    "nested arrays": f"a = {'[' * 20_000}{']' * 20_000}\n",
    "nested tables": f"a = {'{a=' * 9_000}1{'}' * 9_000}\n",
    "many digits": f"a = {'9' * 5_000}\n",
    "many hexadecimal digits": f"a = 0x{'f' * 5_000}\n",
    "a long line of spaces": f'["{" " * 60_000}"]\n',
    "many tables": "[[a]]\n" * 10_000,
    "too long": "#" * (65 << 10),
}


@pytest.mark.parametrize("name", TOML)
def test_a_config_is_refused_with_its_name(tmp_path: Path, name: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(TOML[name])
    said, status, mebibytes = measured(*RINGTOP, "--config", str(file), "demo")
    assert status == 2
    assert f"{file}:" in said
    assert "Traceback" not in said
    assert mebibytes < MOST_MIB


@pytest.mark.parametrize("name", TOML)
def test_a_theme_is_refused_with_its_name_and_the_others_are_there(tmp_path: Path, name: str) -> None:
    (tmp_path / "mine.toml").write_text(TOML[name])
    said, status, mebibytes = measured(sys.executable, "-c", THEMES, str(tmp_path))
    assert status == 0, said
    assert "mine.toml" in said
    assert mebibytes < MOST_MIB


@pytest.mark.parametrize("history", ["999999999999999999999G", "99999G"])
def test_a_history_larger_than_the_memory_is_refused(tmp_path: Path, history: str) -> None:
    (tmp_path / "config.toml").write_text(f'history = "{history}"\n')
    said, status, _ = measured(*RINGTOP, "--config", str(tmp_path / "config.toml"), "demo")
    assert status == 2
    assert "config.toml:1: history: " in said


@pytest.mark.parametrize(
    "raw",
    [
        b'{"over":{"a":' + b"[" * 400_000 + b"]" * 400_000 + b"}}",
        b'{"over":{"a":[' + b"{}," * 340_000 + b"{}]}}",
        b'{"filters":[' + b'"",' * 340_000 + b'""]}',
        b"x" * (2 << 20),
    ],
    ids=["nested", "objects", "filters", "long"],
)
def test_a_state_file_takes_little(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "ringtop").mkdir()
    (tmp_path / "ringtop" / "state.json").write_bytes(raw)
    said, status, mebibytes = measured(sys.executable, "-c", STATE, XDG_STATE_HOME=str(tmp_path))
    assert status == 0, said
    assert mebibytes < MOST_MIB


SIZE = SCHEMAS["execsnoop"].dtype.itemsize
ROWS = (7 << 20) // SIZE


def _round(rows: bytes, tails: bytes) -> bytes:
    return stream.encode(stream.Round(1, 1, [stream.Rows("execsnoop", rows, tails)]))


STREAMS: dict[str, Callable[[], bytes]] = {
    "a length of 64 MiB": lambda: struct.pack("<I", 64 << 20) + bytes(64 << 20),
    "the longest message, of zeros": lambda: (struct.pack("<I", stream.MAX_FRAME) + bytes(stream.MAX_FRAME)) * 4,
    "the longest message, nested": lambda: struct.pack("<I", stream.MAX_FRAME) + b"\x91" * stream.MAX_FRAME,
    "rounds of 7 MiB": lambda: _round(bytes(SIZE * ROWS), b"") * 20,
    "rounds of 7 MiB of text": lambda: _round(bytes(SIZE), bytes(7 << 20)) * 20,
    "notices": lambda: stream.encode(stream.Notice("info", "x" * 65_000)) * 3_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", STREAMS)
def test_a_recording_and_a_stream_take_little(tmp_path: Path, name: str) -> None:
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    plain.write_bytes(stream.MAGIC + stream.encode(hello()) + STREAMS[name]())
    packed.write_bytes(zstandard.ZstdCompressor().compress(plain.read_bytes()))
    for command in (
        (*RINGTOP, "top", "--replay", str(packed)),
        (*RINGTOP, "top", "--replay", str(plain)),
        (sys.executable, "-c", PLAYED, str(packed)),
        (sys.executable, "-c", READ, str(plain)),
    ):
        said, _, mebibytes = measured(*command)
        assert "Traceback" not in said
        assert mebibytes < MOST_MIB, command


@pytest.mark.parametrize("name", ["zeros", "bad messages"])
def test_controls_that_cannot_be_read_take_little_and_bring_few_notices(tmp_path: Path, name: str) -> None:
    bad = bytes(1 << 20) if name == "zeros" else (struct.pack("<I", 1) + b"\xc1") * 200_000
    (tmp_path / "controls").write_bytes(bad)
    said, status, mebibytes = measured(sys.executable, "-c", TOLD, str(tmp_path / "controls"))
    assert status == 0, said
    assert int(said) <= 201
    assert mebibytes < MOST_MIB
