"""Recording and replaying in the viewer."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from ringtop.bpf import stream
from ringtop.tui.app.app import Viewer
from ringtop.tui.app.hooks import Hooks
from ringtop.tui.settings.config import Config
from ringtop.tui.source.recording import read
from ringtop.tui.source.replay import ReplaySource
from ringtop.tui.widgets import keys
from ringtop.tui.widgets.ask import Ask
from tests.tui.source.recordings import Clock, messages, write
from tests.tui.viewing import play, press, running, settle, shown, table

ALL = messages(4, 2)
"""Three events at 0, 0.5, … 3.5 s; statistics at 0.99, … 3.99 s."""


@asynccontextmanager
async def replaying(path: Path, clock: Clock, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Pilot[int]]:
    """A viewer of the recording *path*, at its beginning."""
    app = Viewer([ReplaySource(path, clock=clock)], hooks=Hooks(monotonic_ns=lambda: 0))
    async with app.run_test(size=size) as pilot:
        await until(pilot, 3)
        yield pilot


def events(pilot: Pilot[int]) -> int:
    app = pilot.app
    assert isinstance(app, Viewer)
    return app.model.store.tables["execsnoop"].received


async def until(pilot: Pilot[int], count: int) -> None:
    """Wait until *count* events have come."""
    while events(pilot) != count:
        await pilot.pause(0.01)
        await settle(pilot)


async def until_said(pilot: Pilot[int], text: str) -> None:
    while text not in shown(pilot):
        await pilot.pause(0.01)
        await settle(pilot)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "a.ringtop", ALL)


async def test_r_records_until_it_is_pressed_again(tmp_path: Path) -> None:
    async with running(config=Config(recordings=str(tmp_path))) as pilot:
        await press(pilot, "R")
        assert "rec " in shown(pilot)
        await play(pilot, lambda feed: feed.play(7))
        await press(pilot, "R")
        assert "rec " not in shown(pilot)
        (made,) = tmp_path.iterdir()
        assert f"ringtop replay {made}" in " ".join(n.message for n in pilot.app._notifications)
    reading = read(made)
    found = list(reading)
    assert reading.damage is None
    assert isinstance(found[0], stream.Hello)
    assert sum(isinstance(m, stream.State) for m in found) == 3
    assert sum(isinstance(m, stream.Round) for m in found) == 7


async def test_leaving_finishes_the_recording(tmp_path: Path) -> None:
    async with running(config=Config(recordings=str(tmp_path))) as pilot:
        await press(pilot, "R", "q")
    (made,) = tmp_path.iterdir()
    assert isinstance(pilot.app, Viewer)
    assert pilot.app.parting == [f"recorded {made}: `ringtop replay {made}` shows it"]
    reading = read(made)
    assert isinstance(list(reading)[-1], stream.End)
    assert reading.damage is None


async def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    async with running(config=Config(recordings=str(tmp_path / "no"))) as pilot:
        await press(pilot, "R")
        assert "No such file" in " ".join(n.message for n in pilot.app._notifications)
        assert "rec " not in shown(pilot)


async def test_keys_that_do_nothing_are_not_offered(path: Path) -> None:
    live = {"record"}
    replay = {"play", "step", "step_back", "slower", "faster", "jump"}
    async with running() as pilot:
        ids = {k.id for k in keys.listing(pilot.app.screen)}
        assert ids & (live | replay) == live
    async with replaying(path, Clock()) as pilot:
        ids = {k.id for k in keys.listing(pilot.app.screen)}
        assert ids & (live | replay) == replay
        assert "freeze" not in ids


async def test_it_plays_and_says_where_it_is(path: Path) -> None:
    clock = Clock()
    async with replaying(path, clock) as pilot:
        clock.now += 2
        await until(pilot, 15)
        await until_said(pilot, "0:02/0:03")
        clock.now += 10
        await until(pilot, 24)
        await until_said(pilot, "end")
        assert "ended" not in shown(pilot).splitlines()[0]


async def test_space_pauses_and_plays(path: Path) -> None:
    clock = Clock()
    async with replaying(path, clock) as pilot:
        await press(pilot, "space")
        await until_said(pilot, "‖ 0:00")
        assert not table(pilot, "execsnoop").view.frozen
        clock.now += 10
        await press(pilot, "space")
        await until_said(pilot, "▶ 0:00")
        clock.now += 1
        await until(pilot, 9)


async def test_space_at_the_end_starts_anew(path: Path) -> None:
    clock = Clock()
    async with replaying(path, clock) as pilot:
        clock.now += 10
        await until(pilot, 24)
        await until_said(pilot, "end")
        await press(pilot, "space")
        await until(pilot, 3)
        assert len(table(pilot, "execsnoop").view) == 3


async def test_full_stop_and_comma_step(path: Path) -> None:
    async with replaying(path, Clock()) as pilot:
        for count in (6, 9, 12):
            await press(pilot, "full_stop")
            await until(pilot, count)
        await press(pilot, "comma")
        await until(pilot, 9)


async def test_speed(path: Path) -> None:
    clock = Clock()
    async with replaying(path, clock) as pilot:
        await press(pilot, "greater_than_sign", "greater_than_sign")
        await until_said(pilot, "x4")
        clock.now += 0.25
        await until(pilot, 9)
        await press(pilot, "less_than_sign")
        await until_said(pilot, "x2")


async def test_jump(path: Path) -> None:
    async with replaying(path, Clock()) as pilot:
        await press(pilot, "J", *"soon", "enter")
        assert isinstance(pilot.app.screen, Ask)
        assert "is not a time" in shown(pilot)
        pilot.app.screen.query_one(Input).value = "2s"
        await press(pilot, "enter")
        await until(pilot, 15)
        await press(pilot, "J", *"0.5s", "enter")
        await until(pilot, 6)
        await press(pilot, "J", "escape")
        assert events(pilot) == 6


async def test_space_in_a_filter_is_a_space(path: Path) -> None:
    async with replaying(path, Clock()) as pilot:
        await press(pilot, "slash", "p", "space", "q")
        assert isinstance(pilot.app.focused, Input)
        assert pilot.app.focused.value == "p q"
        await press(pilot, "escape")
        await until_said(pilot, "▶")


async def test_damage_is_told(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-60])
    clock = Clock()
    async with replaying(path, clock) as pilot:
        clock.now += 10
        await until_said(pilot, "damaged")
        assert "read up to byte" in " ".join(n.message for n in pilot.app._notifications)


async def test_a_recording_made_by_the_viewer_plays_in_the_viewer(tmp_path: Path) -> None:
    async with running(config=Config(recordings=str(tmp_path))) as pilot:
        await press(pilot, "R")
        await play(pilot)
        await press(pilot, "R")
    (made,) = tmp_path.iterdir()
    assert made.stat().st_uid == os.getuid()
    wanted = sum(
        len(stream.batch(rows))
        for m in read(made)
        if isinstance(m, stream.Round)
        for rows in m.batches
        if rows.program == "execsnoop"
    )
    async with replaying_all(made) as pilot:
        await until(pilot, wanted)
        assert "web-1" in shown(pilot)


@asynccontextmanager
async def replaying_all(path: Path) -> AsyncIterator[Pilot[int]]:
    app = Viewer([ReplaySource(path, clock=Clock(100))], hooks=Hooks(monotonic_ns=lambda: 0))
    async with app.run_test(size=(120, 40)) as pilot:
        yield pilot


async def test_a_replay_has_no_collector_to_tell_of_or_to(path: Path) -> None:
    async with replaying(path, Clock()) as pilot:
        assert "collector" not in shown(pilot).splitlines()[0]
        assert "capture" not in {k.id for k in keys.listing(pilot.app.screen)}
    async with running() as pilot:
        assert "collector running" in shown(pilot).splitlines()[0]
        assert "capture" in {k.id for k in keys.listing(pilot.app.screen)}
