"""The screen of one process."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from ringtop.bpf import stream
from ringtop.bpf.event.schema import UNKNOWN, usual
from ringtop.tui.app.app import Viewer
from ringtop.tui.app.hooks import Hooks
from ringtop.tui.process import card as process
from ringtop.tui.process.card import Card
from ringtop.tui.widgets.main import Main
from ringtop.tui.widgets.process_screen import COPIED, ProcessScreen
from ringtop.tui.widgets.timeline import EventLines
from tests.samples import make
from tests.tui.feed import Feed
from tests.tui.viewing import SIZES, feed_of, play, press, resize, running, settle, shown, table

NASTY = b"\x1b[2J[red]x"


class Reader:
    """Gives the cards it was told, the last one for ever."""

    def __init__(self, *cards: Card) -> None:
        self.cards = list(cards)
        self.asked: list[tuple[int, int | None]] = []

    def __call__(self, pid: int, ts: int | None) -> Card:
        self.asked.append((pid, ts))
        return self.cards.pop(0) if len(self.cards) > 1 else self.cards[0]


@asynccontextmanager
async def local(reader: Reader, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Pilot[int]]:
    """A viewer of this machine's events, at the process of the newest row."""
    feed = Feed()
    feed.label = "local"
    app = Viewer([feed], hooks=Hooks(process=reader, monotonic_ns=lambda: 0))
    async with app.run_test(size=size) as pilot:
        await play(pilot)
        await pilot.press("up", "enter")
        yield pilot


async def until_said(pilot: Pilot[int], text: str) -> None:
    while text not in shown(pilot):
        await pilot.pause(0.01)


def pid(pilot: Pilot[int]) -> int:
    screen = pilot.app.screen
    assert isinstance(screen, ProcessScreen)
    return screen.pid


async def test_enter_shows_the_card_and_a_key_goes_back() -> None:
    card = Card(7, "here", comm=b"nginx", command=(b"nginx", b"-g", NASTY), started=1e9, status="sleeping", nice=0)
    reader = Reader(card)
    async with local(reader, SIZES[0]) as pilot:
        for size in SIZES:
            for back in ("escape", "backspace"):
                await until_said(pilot, r"nginx -g $'\x1b[2J[red]x'")
                assert "sleeping" in shown(pilot)
                assert {asked for asked, _ in reader.asked} == {pid(pilot)}
                await pilot.press(back)
                assert isinstance(pilot.app.screen, Main)
                await resize(pilot, size)
                await pilot.press("enter")


async def test_it_is_asked_for_as_it_was_at_the_chosen_event() -> None:
    reader = Reader(Card(7, "here", comm=b"nginx", started=1e9))
    async with local(reader) as pilot:
        await until_said(pilot, "nginx")
        app = pilot.app
        assert isinstance(app, Viewer)
        event = app.main.table.event
        assert event is not None
        ts = int(event.batch.rows["ts"][0])
        assert app.model.store.tables["runqslower"].ring.column("ts", 0, 1)[0] < ts
        assert reader.asked[0] == (pid(pilot), ts)


async def test_a_long_card_is_scrolled_by_keys() -> None:
    card = Card(7, "here", comm=b"java", command=(*[b"x" * 70] * 40, b"last"), started=1e9)
    async with local(Reader(card), (80, 24)) as pilot:
        await until_said(pilot, "xxx")
        assert "last" not in shown(pilot)
        await pilot.press("tab", "end")
        await until_said(pilot, "last")


async def test_all_events_of_all_tables_are_there_in_time_order() -> None:
    async with running() as pilot:
        await press(pilot, "up", "enter")
        lines = pilot.app.screen.query_one(EventLines).plain(COPIED)
        wanted = [
            int((t.ring.column("pid", t.first, t.end) == pid(pilot)).sum())
            for t in pilot.app.model.store.tables.values()  # type: ignore[attr-defined]
        ]
        assert len(lines) == sum(wanted) > 3
        assert {line.split()[1] for line in lines} == set(usual())
        assert [line.split()[0] for line in lines] == sorted(line.split()[0] for line in lines)
        assert lines[-1].split()[0] in shown(pilot)


async def test_new_events_appear() -> None:
    async with running() as pilot:
        await press(pilot, "up", "enter")
        events = pilot.app.screen.query_one(EventLines)
        before = events.plain(COPIED)
        await play(pilot)
        while events.plain(COPIED) == before:
            await pilot.pause(0.05)
        assert events.plain(COPIED)[: len(before)] == before


async def test_events_of_elsewhere_ask_nothing_of_this_machine() -> None:
    reader = Reader(Card(1, "here", comm=b"wrong", started=1.0))
    app = Viewer([Feed()], hooks=Hooks(process=reader, monotonic_ns=lambda: 0))
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
        await until_said(pilot, "only its events are known")
        await until_said(pilot, "started by")


async def test_a_real_process() -> None:
    async with running() as pilot:
        screen = ProcessScreen(
            pilot.app.model,  # type: ignore[attr-defined]
            0,
            os.getpid(),
            None,
            True,
            lambda: table(pilot).clock,
            lambda pid: None,
        )
        pilot.app.push_screen(screen)
        await until_said(pilot, "started by")
        await until_said(pilot, "no events of it are kept")


async def test_enter_goes_up_to_the_parent_and_a_key_comes_back() -> None:
    async with running(what=family) as pilot:
        await press(pilot, "up", "enter")
        assert pid(pilot) == 7
        assert "started by   make 6" in shown(pilot)
        await press(pilot, "enter")
        assert pid(pilot) == 6
        await press(pilot, "escape")
        assert pid(pilot) == 7
        await press(pilot, "enter", "p")
        assert isinstance(pilot.app.screen, Main)
        assert pilot.app.filters.text == "pid=6 and start_ns=50"  # type: ignore[attr-defined]


def family(feed: Feed) -> None:
    """A process, its parent, and one that had the parent's id before."""
    people = [(6, 40, 40, 1, b"init"), (7, 70, 65, 6, b"make"), (6, 75, 50, 1, b"init")]
    batch = make(
        "runqslower",
        [
            {"pid": pid, "ts": ts, "start_ns": start, "ppid": ppid, "parent": parent, "seq": seq}
            for seq, (pid, ts, start, ppid, parent) in enumerate(people)
        ],
    )
    feed.say(stream.Round(feed.now, feed.now, [stream.rows(batch)]))


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
        assert "\n".join(pilot.app.screen.query_one(EventLines).plain(COPIED)) in copied
        assert "\x1b" not in copied


async def test_very_many_events_are_scrolled_and_the_newest_copied() -> None:
    async with running(size=(200, 40)) as pilot:
        for _ in range(5):
            await play(pilot, lambda feed: feed.play(8, rate=2000))
        await press(pilot, "up", "enter", "y")
        copied = pilot.app.clipboard.splitlines()
        assert COPIED - 200 < len(pilot.app.clipboard.encode()) <= COPIED
        assert copied[-1] == pilot.app.screen.query_one(EventLines).plain(200)[-1]
        assert "with the newest" in shown(pilot)
        events = pilot.app.screen.query_one(EventLines)
        assert events.show_vertical_scrollbar
        for key, wanted in (("home", 0), ("end", events.max_scroll_y)):
            await press(pilot, key)
            while events.scroll_y != wanted:
                await pilot.pause(0.02)


async def test_nothing_is_said_of_a_task_before_it_without_a_name() -> None:
    def waits(feed: Feed) -> None:
        batch = make("runqslower", [{"pid": 7, "seq": n, "prev_comm": comm} for n, comm in enumerate((b"", b"make"))])
        feed.say(stream.Round(feed.now, feed.now, [stream.rows(batch)]))

    async with running(what=waits) as pilot:
        await press(pilot, "up", "enter")
        lines = pilot.app.screen.query_one(EventLines).plain(COPIED)
        assert ["after make" in line for line in lines] == [False, True]


async def test_an_event_of_no_known_process_opens_nothing() -> None:
    def unknown(feed: Feed) -> None:
        batch = make("runqslower", [{"pid": UNKNOWN, "ts": feed.now}])
        feed.say(stream.Round(feed.now, feed.now, [stream.rows(batch)]))

    async with running(what=unknown) as pilot:
        await press(pilot, "up", "enter", "p")
        assert isinstance(pilot.app.screen, Main)
        assert table(pilot).view.predicate is None


async def test_enter_on_an_empty_table_does_nothing() -> None:
    async with running(what=lambda feed: None) as pilot:
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, Main)
        assert feed_of(pilot).starts == 1
        await settle(pilot)


async def test_a_card_that_comes_after_the_screen_was_left_is_not_shown() -> None:
    async with local(Reader(Card(7, "here", comm=b"nginx", started=1e9))) as pilot:
        await until_said(pilot, "nginx")
        screen = pilot.app.screen
        assert isinstance(screen, ProcessScreen)
        await press(pilot, "escape")
        await screen._ask()
        assert isinstance(pilot.app.screen, Main)
