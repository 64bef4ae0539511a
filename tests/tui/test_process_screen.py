"""The screen of one process."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from ringtop.bpf.schema import SCHEMAS
from ringtop.tui import process
from ringtop.tui.app import Hooks, Viewer
from ringtop.tui.process import Card
from ringtop.tui.widgets.main import Main
from ringtop.tui.widgets.process_screen import ProcessScreen
from ringtop.tui.widgets.timeline import EventLines
from tests.tui.feed import Feed
from tests.tui.viewing import SIZES, feed_of, play, press, running, settle, shown, table

NASTY = b"\x1b[2J[red]x"


class Reader:
    """Gives the cards it was told, the last one for ever."""

    def __init__(self, *cards: Card) -> None:
        self.cards = list(cards)
        self.asked: list[tuple[int, float | None]] = []

    def __call__(self, pid: int, event_s: float | None) -> Card:
        self.asked.append((pid, event_s))
        return self.cards.pop(0) if len(self.cards) > 1 else self.cards[0]


@asynccontextmanager
async def local(reader: Reader, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Pilot[int]]:
    """A viewer of this machine's events, at the process of the newest row."""
    feed = Feed()
    feed.label = "local"
    app = Viewer(feed, hooks=Hooks(process=reader, monotonic_ns=lambda: 0))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        feed.play()
        await app.work()
        await pilot.press("up", "enter")
        await pilot.pause()
        yield pilot


async def until_said(pilot: Pilot[int], text: str) -> None:
    while text not in shown(pilot):
        await pilot.pause(0.01)


def pid(pilot: Pilot[int]) -> int:
    screen = pilot.app.screen
    assert isinstance(screen, ProcessScreen)
    return screen.pid


@pytest.mark.parametrize("size", SIZES)
async def test_enter_shows_the_card_and_escape_goes_back(size: tuple[int, int]) -> None:
    card = Card(7, "here", comm=b"nginx", command=(b"nginx", b"-g", NASTY), started=1e9, status="sleeping", nice=0)
    reader = Reader(card)
    async with local(reader, size) as pilot:
        await until_said(pilot, r"nginx -g $'\x1b[2J[red]x'")
        assert "sleeping" in shown(pilot)
        assert reader.asked[0][0] == pid(pilot)
        assert reader.asked[0][1] is not None
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, Main)


async def test_all_events_of_all_tables_are_there_in_time_order() -> None:
    async with running() as pilot:
        await press(pilot, "up", "enter")
        lines = pilot.app.screen.query_one(EventLines).plain().splitlines()
        wanted = [
            int((t.ring.column("pid", t.first, t.end) == pid(pilot)).sum())
            for t in pilot.app.model.store.tables.values()  # type: ignore[attr-defined]
        ]
        assert len(lines) == sum(wanted) > 3
        assert {line.split()[1] for line in lines} == set(SCHEMAS)
        assert [line.split()[0] for line in lines] == sorted(line.split()[0] for line in lines)
        assert lines[-1].split()[0] in shown(pilot)


async def test_new_events_appear() -> None:
    async with running() as pilot:
        await press(pilot, "up", "enter")
        events = pilot.app.screen.query_one(EventLines)
        before = events.plain()
        await play(pilot)
        while events.plain() == before:
            await pilot.pause(0.05)
        assert events.plain().startswith(before)


async def test_events_of_elsewhere_ask_nothing_of_this_machine() -> None:
    reader = Reader(Card(1, "here", comm=b"wrong", started=1.0))
    app = Viewer(Feed(), hooks=Hooks(process=reader, monotonic_ns=lambda: 0))
    async with app.run_test(size=(120, 40)) as pilot:
        await play(pilot)
        await press(pilot, "up", "enter")
        assert "not of this host" in shown(pilot)
    assert reader.asked == []


async def test_what_was_known_stays_when_it_ends() -> None:
    here = Card(7, "here", comm=b"make", command=(b"make", b"all"), started=1e9, status="running")
    async with local(Reader(here, Card(7, "gone"))) as pilot:
        await until_said(pilot, "gone")
        assert "make all" in shown(pilot)


@pytest.mark.parametrize("presence", ["gone", "reused"])
async def test_a_short_life_is_told_by_its_events(presence: process.Presence) -> None:
    async with local(Reader(Card(7, presence))) as pilot:
        await until_said(pilot, "what its events told")
        assert "started by" in shown(pilot)


async def test_a_real_process() -> None:
    async with running() as pilot:
        screen = ProcessScreen(
            pilot.app.model,  # type: ignore[attr-defined]
            os.getpid(),
            True,
            lambda: table(pilot).clock,
            lambda pid: None,
        )
        pilot.app.push_screen(screen)
        await until_said(pilot, "started by")
        await until_said(pilot, "no events of it are kept")


async def test_p_filters_all_tables_to_it() -> None:
    async with running() as pilot:
        await press(pilot, "up", "enter")
        number = pid(pilot)
        await press(pilot, "p")
        assert isinstance(pilot.app.screen, Main)
        assert pilot.app.filters.text == f"pid={number}"  # type: ignore[attr-defined]


async def test_y_copies_all_of_it() -> None:
    async with running() as pilot:
        await press(pilot, "up", "enter", "y")
        copied = pilot.app.clipboard
        assert str(pid(pilot)) in copied
        assert pilot.app.screen.query_one(EventLines).plain() in copied
        assert "\x1b" not in copied


async def test_enter_on_an_empty_table_does_nothing() -> None:
    async with running(what=lambda feed: None) as pilot:
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, Main)
        assert feed_of(pilot).starts == 1
        await settle(pilot)
