"""What it looks like: SVG snapshots by size and state. Look at new ones before ``--snapshot-update`` keeps them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC
from typing import Any

import pytest
from textual.pilot import Pilot

from ringtop.bpf.event.schema import usual
from ringtop.tui.app.app import Viewer
from ringtop.tui.app.hooks import Hooks
from ringtop.tui.cli.start import DEMO
from ringtop.tui.process.card import Card
from ringtop.tui.settings.config import Config
from ringtop.tui.settings.themes import load_all
from ringtop.tui.source.replay import ReplaySource
from tests.tui.feed import Feed
from tests.tui.source.recordings import Clock
from tests.tui.viewing import SIZES, FixedHost, dropping, feed_of, play, press, settle, type_in, viewer

SHOWS = "both"
Compare = Callable[..., bool]
NAMES = [f"{w}x{h}" for w, h in SIZES]
SOME = [(80, 24), (120, 40)]
SIZED = [
    pytest.param(s, id=n, marks=[] if s == SOME[0] else pytest.mark.slow) for s, n in zip(SIZES, NAMES, strict=True)
]


def load(feed: Feed) -> None:
    """Two seconds of an ordinary load."""
    feed.play(8, 20)


def busy(feed: Feed) -> None:
    """Buffers of all CPUs differ, some lose events."""
    feed.play(8, 20)
    share = len(feed._ledgers) // len(feed.programs) if feed.transport == "ringbuf" else 1
    feed.fill({c: ((c * 37) % 100) / 100 / share for c in range(feed.cpus)})
    feed.stats()
    feed.events({"runqslower": 300, "execsnoop": 200, "unlinksnoop": 2}, {3 % feed.cpus: 3, 40 % feed.cpus: 1204})
    feed.stats()


async def following(pilot: Pilot[Any]) -> None:
    await play(pilot, load)


async def frozen(pilot: Pilot[Any]) -> None:
    await play(pilot, load)
    await press(pilot, "space", "up", "up")
    await play(pilot, load)


async def filtered(pilot: Pilot[Any]) -> None:
    await play(pilot, load)
    await press(pilot, "slash")
    await type_in(pilot, "comm=nginx or ret!=0")
    await press(pilot, "enter")


async def losing(pilot: Pilot[Any]) -> None:
    await play(pilot, dropping)


async def dead(pilot: Pilot[Any]) -> None:
    await play(pilot, dropping)
    await play(pilot, Feed.lose_collector)


async def starting(pilot: Pilot[Any]) -> None:
    """All programs run, and no event has come."""
    await settle(pilot)
    while len(pilot.app.model.machine.states) < len(usual()):
        await settle(pilot)


STATES = {
    "following": following,
    "frozen": frozen,
    "filtered": filtered,
    "dropping": losing,
    "dead": dead,
    "starting": starting,
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("size", SIZED)
def test_states_and_sizes(snap_compare: Compare, size: tuple[int, int], state: str) -> None:
    assert snap_compare(viewer(), terminal_size=size, run_before=STATES[state])


@pytest.mark.slow
@pytest.mark.parametrize("transport", ["ringbuf", "perfbuf"])
@pytest.mark.parametrize("cpus", [8, 64, 256])
def test_many_cpus(snap_compare: Compare, cpus: int, transport: Any) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await play(pilot, busy)

    assert snap_compare(viewer(Feed(cpus, transport)), terminal_size=(120, 40), run_before=before)


def test_smallest(snap_compare: Compare) -> None:
    assert snap_compare(viewer(), terminal_size=(40, 10), run_before=losing)


def test_too_small(snap_compare: Compare) -> None:
    assert snap_compare(viewer(), terminal_size=(39, 10), run_before=losing)


def test_one_table_with_buffers_below(snap_compare: Compare) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await play(pilot, busy)
        await press(pilot, "2")

    assert snap_compare(viewer(), terminal_size=(80, 24), run_before=before)


def test_ascii(snap_compare: Compare) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await play(pilot, busy)
        await press(pilot, "up")

    assert snap_compare(viewer(Feed(64), Config(ascii=True)), terminal_size=(120, 40), run_before=before)


def test_a_program_that_failed(snap_compare: Compare) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await play(pilot, load)

    assert snap_compare(viewer(Feed(failed=("execsnoop",))), terminal_size=(120, 40), run_before=before)


def test_an_error_in_the_filter(snap_compare: Compare) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await play(pilot, load)
        await press(pilot, "slash")
        await type_in(pilot, "comm=nginx")
        await type_in(pilot, " and latenci>5ms")

    assert snap_compare(viewer(), terminal_size=(80, 24), run_before=before)


def test_completion(snap_compare: Compare) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await play(pilot, load)
        await press(pilot, "slash")
        await type_in(pilot, "comm=")
        await press(pilot, "tab", "tab")

    assert snap_compare(viewer(), terminal_size=(80, 24), run_before=before)


def test_capture_filter(snap_compare: Compare) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await play(pilot, load)
        await press(pilot, "c")
        await type_in(pilot, "pid=1000")
        await press(pilot, "enter")

    assert snap_compare(viewer(), terminal_size=(120, 40), run_before=before)


def test_sorted(snap_compare: Compare) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await play(pilot, dropping)
        await press(pilot, "1", "left", "left", "left", "s", "down")

    assert snap_compare(viewer(), terminal_size=(120, 40), run_before=before)


@pytest.mark.parametrize("size", SOME, ids=["80x24", "120x40"])
def test_after_a_switch_of_transport(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await play(pilot, load)
        await press(pilot, "t")
        if size == SOME[0]:
            await press(pilot, "1")
        await play(pilot, lambda feed: (feed.events({"runqslower": 5, "execsnoop": 2}), feed.stats()))

    assert snap_compare(viewer(), terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", SOME, ids=["80x24", "120x40"])
def test_report_of_a_comparison(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        feed_of(pilot).residual = 3
        await play(pilot, load)
        await press(pilot, "A", "1", "enter")
        await play(pilot, load)

    assert snap_compare(viewer(), terminal_size=size, run_before=before)


def test_help(snap_compare: Compare) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await play(pilot, load)
        await press(pilot, "question_mark")

    assert snap_compare(viewer(), terminal_size=(80, 24), run_before=before)


def test_columns(snap_compare: Compare) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await play(pilot, load)
        await press(pilot, "C", "down")

    assert snap_compare(viewer(), terminal_size=(120, 40), run_before=before)


async def test_a_snapshot_can_fail() -> None:
    """The same events make the same picture, one event more makes another."""

    async def picture(rounds: int) -> str:
        app = viewer()
        async with app.run_test(size=(80, 24)) as pilot:
            await play(pilot, lambda feed: feed.play(rounds, 20))
            return re.sub(r"terminal-\d+", "", app.export_screenshot())

    assert await picture(8) == await picture(8)
    assert await picture(8) != await picture(9)


@pytest.mark.slow
@pytest.mark.parametrize("theme", sorted(load_all()[0]))
def test_themes(snap_compare: Compare, theme: str) -> None:
    assert snap_compare(viewer(config=Config(theme=theme)), terminal_size=(100, 30), run_before=losing)


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=NAMES)
def test_a_replay_at_its_end(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        while not (source.status.ended and source.status.duration_ns and replay.model.machine.contact.phase == "ended"):
            await pilot.pause(0.01)
        await settle(pilot)

    source = ReplaySource(DEMO, label="demo", clock=Clock(1))
    replay = Viewer([source], hooks=Hooks(process=Card, host=FixedHost(), monotonic_ns=lambda: 0, zone=UTC))
    assert snap_compare(replay, terminal_size=size, run_before=before)
