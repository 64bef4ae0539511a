"""The replay source and the tap: threads that pass everything on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ringtop.bpf import stream
from ringtop.tui.source.recording import read
from ringtop.tui.source.replay import ReplaySource
from ringtop.tui.source.source import Item, Lost, Rewound
from ringtop.tui.source.tap import Tap
from tests.tui.source.recordings import Clock, hello, messages, round_at, stats_at, write

ALL = messages(4, 2)


class Sink:
    """Takes what is posted; lets a test wait for it."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self._changed = threading.Condition()

    def __call__(self, item: Item) -> None:
        with self._changed:
            self.items.append(item)
            self._changed.notify_all()

    def wait(self, until: Callable[[list[Item]], bool]) -> list[Item]:
        with self._changed:
            assert self._changed.wait_for(lambda: bool(self.items) and until(self.items), 30), self.items
            return list(self.items)


def ended(items: list[Item]) -> bool:
    return isinstance(items[-1], stream.End)


def test_a_recording_plays_to_its_end(tmp_path: Path) -> None:
    source = ReplaySource(write(tmp_path / "a", ALL), clock=Clock(0.5))
    sink = Sink()
    source.start(sink)
    sink.wait(lambda items: len(items) == len(ALL))
    source.stop()
    assert sink.items == ALL
    assert source.status.damage is None
    assert source.label == "replay a"


def test_keys_do_what_they_say(tmp_path: Path) -> None:
    clock = Clock()
    source = ReplaySource(write(tmp_path / "a", ALL), clock=clock)
    sink = Sink()
    source.start(sink)
    sink.wait(lambda items: len(items) == 3)
    source.step()
    sink.wait(lambda items: len(items) == 4)
    source.faster()
    source.jump("2s")
    sink.wait(lambda items: len(items) == 9)
    source.step_back()
    items = sink.wait(lambda items: Rewound() in items and len(items) > 15)
    at = items.index(Rewound())
    assert items[:at] == ALL[:at]
    assert items[at + 1 :] == ALL[: len(items) - at - 1]
    with pytest.raises(ValueError, match="not a time"):
        source.jump("soon")
    source.stop()
    assert source.status.speed == 2
    assert not source.status.playing


def test_it_can_be_started_again(tmp_path: Path) -> None:
    source = ReplaySource(write(tmp_path / "a", ALL), clock=Clock(0.5))
    for _ in range(2):
        sink = Sink()
        source.start(sink)
        sink.wait(ended)
        source.stop()
        assert sink.items == ALL


def test_what_was_told_of_control_groups_is_told_though_it_is_passed_over(tmp_path: Path) -> None:
    told = stream.Cgroups([(23, b"/system.slice/nginx.service", b"")])
    source = ReplaySource(write(tmp_path / "a", [*ALL[:-1], told, ALL[-1]]), clock=Clock(0.0))
    sink = Sink()
    source.start(sink)
    assert told in sink.wait(lambda items: told in items)
    assert not ended(sink.items)
    source.stop()


def test_damage_is_told_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a", ALL)
    path.write_bytes(path.read_bytes()[:-30])
    source = ReplaySource(path, clock=Clock(0.5))
    sink = Sink()
    source.start(sink)
    items = sink.wait(lambda items: isinstance(items[-1], stream.Notice))
    source.stop()
    assert sink.items == items
    assert items[:-1] == ALL[: len(items) - 1]
    notice = items[-1]
    assert isinstance(notice, stream.Notice)
    assert "read up to byte" in notice.text


def test_a_file_that_was_taken_away_is_played_and_one_that_was_written_over_is_lost(tmp_path: Path) -> None:
    path = write(tmp_path / "a", ALL)
    source = ReplaySource(path, clock=Clock(0.5))
    path.rename(tmp_path / "b")
    sink = Sink()
    source.start(sink)
    assert sink.wait(lambda items: isinstance(items[-1], stream.End)) == ALL
    source.stop()
    (tmp_path / "b").write_text("something else")
    source.start(sink)
    assert isinstance(sink.wait(lambda items: len(items) > len(ALL))[-1], Lost)
    source.stop()
    with pytest.raises(OSError, match="No such file"):
        ReplaySource(path)


class Made:
    """A source that says what it is told to."""

    label = "made"
    live = True

    def __init__(self) -> None:
        self.post: Callable[[Item], None] = lambda item: None
        self.sent: list[stream.Control] = []

    def start(self, post: Callable[[Item], None]) -> None:
        self.post = post

    def send(self, control: stream.Control) -> None:
        self.sent.append(control)

    def stop(self) -> None:
        self.post = lambda item: None


def test_a_recording_begun_late_can_be_read(tmp_path: Path) -> None:
    made = Made()
    tap = Tap(made)
    sink = Sink()
    tap.start(sink)
    with pytest.raises(ValueError, match="nothing to record"):
        tap.record(tmp_path / "a")
    running = stream.State("execsnoop", "running", hook="new")
    for item in (hello(), stream.State("execsnoop", "running", hook="old"), running, round_at(0)):
        made.post(item)
    tap.record(tmp_path / "a")
    with pytest.raises(ValueError, match="already"):
        tap.record(tmp_path / "b")
    made.post(round_at(1))
    made.post(Lost("gone"))
    assert tap.stop_recording() == tmp_path / "a"
    assert tap.stop_recording() is None
    made.post(round_at(2))
    reading = read(tmp_path / "a")
    assert list(reading) == [hello(), running, round_at(1), stream.End("recording stopped")]
    assert reading.damage is None
    assert len(sink.items) == 7


def test_a_recording_begun_late_has_the_names_of_its_rows(tmp_path: Path) -> None:
    told = stream.Cgroups([(23, b"/system.slice/nginx.service", b"")])
    source = ReplaySource(write(tmp_path / "made", [*ALL[:-1], told, ALL[-1]]), clock=Clock(0.5))
    tap, sink = Tap(source), Sink()
    tap.start(sink)
    sink.wait(ended)
    tap.stop()
    tap.record(tmp_path / "late")
    tap.stop_recording()
    assert told in list(read(tmp_path / "late"))


def test_a_full_disk_ends_the_recording_not_the_viewer(tmp_path: Path) -> None:
    made = Made()
    tap = Tap(made)
    sink = Sink()
    tap.start(sink)
    made.post(hello())
    tap.record(tmp_path / "a")
    recorder = tap.recording
    assert recorder is not None
    recorder._file.close()
    recorder._file = open("/dev/full", "wb")  # noqa: SIM115
    made.post(stats_at(1))
    notice = sink.items[-1]
    assert isinstance(notice, stream.Notice)
    assert "No space left" in notice.text
    assert tap.recording is None
    made.post(stats_at(2))
    assert len(sink.items) == 4


def test_the_name_of_a_recording_is_harmless() -> None:
    made = Made()
    tap = Tap(made)
    tap.start(Sink())
    assert tap.file_name(0).startswith("ringtop-19")
    made.post(stream.Hello("../\x1b[2J/..", "", "", "", [], [], 1, 0, {}))
    name = tap.file_name(0)
    assert "/" not in name
    assert name.isprintable()
    assert not name.startswith(".")
