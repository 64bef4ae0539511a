"""Recordings: what was written is read, up to any damage and never past it."""

from __future__ import annotations

import os
import resource
import stat
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf import stream
from ringtop.tui.source.recording import FRAME_BYTES, STANDARD, WINDOW, Damage, Recorder, read
from tests.tui.source.recordings import Clock, hello, messages, round_at, stats_at, write, write_plain

ALL = messages()


def read_all(path: Path) -> tuple[list[stream.AnyMessage], Damage | None]:
    reading = read(path)
    found = list(reading)
    assert reading.messages == len(found)
    if reading.damage:
        assert reading.damage.messages == len(found)
        assert 0 <= reading.damage.offset <= path.stat().st_size
    return found, reading.damage


@pytest.fixture(scope="module")
def compressed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A recording of several compressed frames."""
    return write(tmp_path_factory.mktemp("rec") / "a.ringtop", ALL, step=4.0).read_bytes()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_plain(tmp_path_factory.mktemp("rec") / "a", ALL).read_bytes()


def test_what_was_written_is_read(tmp_path: Path) -> None:
    assert read_all(write(tmp_path / "a", ALL)) == (ALL, None)
    assert read_all(write(tmp_path / "b", ALL, step=3)) == (ALL, None)
    assert read_all(write_plain(tmp_path / "c", ALL)) == (ALL, None)


def test_decompressing_gives_the_stream(tmp_path: Path) -> None:
    raw = write(tmp_path / "a", ALL, step=3).read_bytes()
    assert raw.count(b"\x28\xb5\x2f\xfd") > 1
    with zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True) as reader:
        assert reader.read() == stream.MAGIC + b"".join(map(stream.encode, ALL))


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    assert stat.S_IMODE(write(tmp_path / "a", ALL).stat().st_mode) == 0o600


def test_what_is_there_is_not_overwritten_unless_told(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("precious")
    with pytest.raises(FileExistsError):
        Recorder(path)
    assert path.read_text() == "precious"
    Recorder(path, overwrite=True).close()
    assert path.read_bytes()[:4] == b"\x28\xb5\x2f\xfd"


def test_overwriting_a_link_leaves_its_target(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("precious")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    Recorder(tmp_path / "link", overwrite=True).close()
    assert (tmp_path / "target").read_text() == "precious"
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError):
        Recorder(tmp_path / "dangling")


def test_after_a_crash_a_second_is_missing(tmp_path: Path) -> None:
    """Nothing is closed: what is on disk a second after a message holds it."""
    path = tmp_path / "a"
    clock = Clock()
    recorder = Recorder(path, clock=clock)
    recorder.write(hello())
    recorder.write(round_at(0))
    clock.now += 1
    recorder.write(round_at(1))
    assert read_all(path)[0] == [hello(), round_at(0), round_at(1)]
    recorder.write(round_at(2))
    recorder.write(stats_at(2))
    found, damage = read_all(path)
    assert found == [hello(), round_at(0), round_at(1), round_at(2), stats_at(2)]
    assert damage is not None
    assert "middle" in damage.reason
    recorder.close()
    assert read_all(path) == ([*found, stream.End("recording stopped")], None)


def test_a_killed_recorder_left_what_it_flushed(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from tests.tui.source.recordings import *\n"
        "r = Recorder(Path(sys.argv[1]))\n"
        "for m in messages(50)[:-1]: r.write(m)\n"
        "os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "a"], cwd=Path(__file__).parents[3])
    assert done.returncode == -9
    assert read_all(tmp_path / "a")[0] == messages(50)[:-1]


def test_frames_are_closed_by_size_too(tmp_path: Path) -> None:
    big = [hello(), *(round_at(i / 10, count=2000, seed=i) for i in range(40)), stream.End("done")]
    raw = write(tmp_path / "a", big).read_bytes()
    assert sum(len(stream.encode(m)) for m in big) > 2 * FRAME_BYTES
    assert raw.count(b"\x28\xb5\x2f\xfd") > 2
    assert read_all(tmp_path / "a") == (big, None)


def test_what_goes_through_a_pipe_can_be_read_after_a_second(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    clock, file = Clock(), tmp_path / "a"
    recorder = Recorder(STANDARD, clock=clock)
    for number, message in enumerate(messages(5)[:-1], 1):
        clock.now += 1
        recorder.write(message)
        with file.open("ab") as pipe:
            pipe.write(capfdbinary.readouterr().out)
        assert len(read_all(file)[0]) == number
    recorder.close()


def test_closing_twice_is_closing_once(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a")
    recorder.write(hello())
    recorder.close()
    recorder.close()
    assert read_all(tmp_path / "a")[0] == [hello(), stream.End("recording stopped")]


def test_a_full_disk_leaves_what_fitted(tmp_path: Path) -> None:
    script = (
        "import resource, signal, sys; from pathlib import Path; from tests.tui.source.recordings import *\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
        "r = Recorder(Path(sys.argv[1]))\n"
        "try:\n"
        "    for m in messages(5000): r.write(m)\n"
        "except OSError: print('full')\n"
        "try: r.close()\n"
        "except OSError: print('again')\n"
        "print(r.closed)"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", script, tmp_path / "a"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
    )
    assert done.stdout == "full\nagain\nTrue\n"
    found, damage = read_all(tmp_path / "a")
    assert len(found) > 20
    assert found == messages(5000)[: len(found)]
    assert damage is not None


@given(st.data())
def test_cut_anywhere(compressed: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    cut = data.draw(st.integers(8, len(compressed) - 1))
    path = tmp_path_factory.mktemp("cut") / "a"
    path.write_bytes(compressed[:cut])
    found, damage = read_all(path)
    assert found == ALL[: len(found)]
    assert damage is not None


@pytest.mark.slow
def test_cut_at_every_byte(plain: bytes, compressed: bytes, tmp_path: Path) -> None:
    """Of a plain stream every whole message is read; of a compressed one, more with every byte."""
    ends = [len(stream.MAGIC)]
    for message in ALL:
        ends.append(ends[-1] + len(stream.encode(message)))
    for cut in range(len(stream.MAGIC), len(plain)):
        path = tmp_path / f"plain {cut}"  # a new one: to write over one can take a disk's time
        path.write_bytes(plain[:cut])
        found, damage = read_all(path)
        assert len(found) == sum(end <= cut for end in ends[1:])
        assert found == ALL[: len(found)]
        assert damage is not None
    before = 0
    for cut in range(8, len(compressed)):
        path = tmp_path / f"compressed {cut}"
        path.write_bytes(compressed[:cut])
        found, damage = read_all(path)
        assert len(found) >= before
        assert found == ALL[: len(found)]
        assert damage is not None
        before = len(found)
    assert before == len(ALL)


def frame_starts(raw: bytes) -> list[int]:
    starts = [0]
    while starts[-1] < len(raw):
        frame = zstandard.ZstdDecompressor().decompressobj()
        frame.decompress(raw[starts[-1] :])
        starts.append(len(raw) - len(frame.unused_data))
    return starts


@given(st.data())
def test_a_flipped_bit_spoils_no_more_than_its_frame(
    compressed: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Nothing wrong is ever given: what is read is how it was written, and all frames before the bit are."""
    bit = data.draw(st.integers(32, 8 * len(compressed) - 1))
    raw = bytearray(compressed)
    raw[bit // 8] ^= 1 << bit % 8
    path = tmp_path_factory.mktemp("flip") / "a"
    path.write_bytes(raw)
    found, damage = read_all(path)
    assert found == ALL[: len(found)]
    good = max(start for start in frame_starts(compressed) if start <= bit // 8)
    path.write_bytes(compressed[:good])
    whole = [] if good == 0 else read_all(path)[0]
    assert len(found) >= len(whole)
    if len(found) < len(ALL):
        assert damage is not None
        assert damage.offset >= good


@given(st.data())
def test_plain_streams_with_any_bytes_changed_never_crash(
    plain: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    at = data.draw(st.integers(len(stream.MAGIC), len(plain) - 1))
    raw = plain[:at] + data.draw(st.binary(min_size=1, max_size=40)) + plain[at + data.draw(st.integers(0, 40)) :]
    path = tmp_path_factory.mktemp("plain") / "a"
    path.write_bytes(raw)
    found, _ = read_all(path)
    ends = len(stream.MAGIC)
    before = 0
    for message in ALL:
        ends += len(stream.encode(message))
        before += ends <= at
    assert found[:before] == ALL[:before]


@given(st.binary(max_size=200), st.sampled_from([b"", stream.MAGIC, b"\x28\xb5\x2f\xfd"]))
def test_garbage_is_refused_or_damaged(tmp_path_factory: pytest.TempPathFactory, raw: bytes, head: bytes) -> None:
    path = tmp_path_factory.mktemp("garbage") / "a"
    path.write_bytes(head + raw)
    try:
        found, damage = read_all(path)
    except stream.StreamError as e:
        assert str(e).startswith(("it is ", "its format "))
        return
    assert found == []
    assert damage is not None


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "empty"),
        (b"hello world", "not a recording"),
        (b"ringtop\x02...", "another version"),
        (b"ring", "not a recording"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, raw: bytes, why: str) -> None:
    (tmp_path / "a").write_bytes(raw)
    with pytest.raises(stream.StreamError, match=why):
        read(tmp_path / "a")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "fifo", tmp_path / "none"):
        with pytest.raises(OSError):
            read(path)


def test_a_recording_of_another_layout_names_its_version(tmp_path: Path) -> None:
    other = stream.Hello("h", "k", "a", "9.9", [0], [], 1, 0, {"execsnoop": [["ts", "<u4"]]})
    found, damage = read_all(write(tmp_path / "a", [other, stream.End("x")]))
    assert found == []
    assert damage is not None
    assert "'9.9'" in damage.reason


def test_a_recording_must_begin_with_hello(tmp_path: Path) -> None:
    found, damage = read_all(write(tmp_path / "a", [round_at(0), stream.End("x")]))
    assert found == []
    assert damage is not None
    assert "begin with Hello" in str(damage)


def test_rows_that_are_no_rows_are_damage(tmp_path: Path) -> None:
    bad = stream.Round(1, 1, [stream.Rows("execsnoop", b"123", b"")])
    found, damage = read_all(write(tmp_path / "a", [hello(), bad, stream.End("x")]))
    assert found == [hello()]
    assert damage is not None
    assert "whole rows" in damage.reason


def test_an_end_that_is_missing_is_told(tmp_path: Path) -> None:
    found, damage = read_all(write_plain(tmp_path / "a", ALL[:-1]))
    assert found == ALL[:-1]
    assert damage is not None
    assert "recording was not finished" in damage.reason


def bomb(size: int) -> bytes:
    """A stream whose one message says it is 7 MiB of zeros, over and over."""
    c = zstandard.ZstdCompressor(level=19).compressobj()
    head = stream.MAGIC + stream.encode(hello()) + struct.pack("<I", 7 << 20)
    return c.compress(head + bytes(size)) + c.flush()


HOSTILE: dict[str, Callable[[], bytes]] = {
    "zeros": lambda: bomb(256 << 20),
    "long message": lambda: stream.MAGIC + struct.pack("<I", 0xFFFF_FFFF) + b"x" * 100,
    "many empty frames": lambda: zstandard.ZstdCompressor().compress(b"") * 20_000,
    "large window": lambda: b"\x28\xb5\x2f\xfd\x00\xa8" + (b"\x02\x00\x10" + b"\x00") * 50_000,
    "raw blocks of one byte repeated": lambda: b"\x28\xb5\x2f\xfd\x00\x68" + (b"\x02\x00\x10" + b"\x00") * 50_000,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_take_a_bounded_memory(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").write_bytes(HOSTILE[name]())
    script = (
        "import resource, sys; from pathlib import Path; from ringtop.tui.source.recording import read\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "r = read(Path(sys.argv[1]))\n"
        "print(sum(1 for m in r), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
        "assert r.damage, r.damage"
    )
    limit = 1 << 30
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "a"],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert done.stderr == ""
    read_count, mebibytes = map(int, done.stdout.split())
    assert read_count <= 1
    assert mebibytes < 300


def test_the_window_is_limited(tmp_path: Path) -> None:
    params = zstandard.ZstdCompressionParameters(window_log=27)
    c = zstandard.ZstdCompressor(compression_params=params).compressobj()
    (tmp_path / "a").write_bytes(c.compress(stream.MAGIC + os.urandom(2 * WINDOW)) + c.flush())
    _, damage = read_all(tmp_path / "a")
    assert damage is not None
    assert "memory" in damage.reason
