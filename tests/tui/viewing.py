"""A viewer that looks the same on every machine, and a way to wait until it has nothing more to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from ringtop.tui.app.app import Viewer
from ringtop.tui.app.hooks import Hooks
from ringtop.tui.process.card import Card
from ringtop.tui.settings.config import Config
from ringtop.tui.settings.state import SavedState
from ringtop.tui.widgets.events import EventTable
from ringtop.tui.widgets.main import Main
from tests.tui.feed import Feed

SIZES = [(60, 15), (80, 24), (120, 40), (200, 60)]


class FixedHost:
    """A machine that does not change."""

    def load(self) -> tuple[float, float, float]:
        """Load averages."""
        return (0.42, 0.30, 0.25)

    def uptime(self) -> int:
        """Seconds."""
        return 277_920


def viewer(feed: Feed | None = None, config: Config | None = None, state: SavedState | None = None) -> Viewer:
    """A viewer of *feed* with a fixed clock, host and time zone."""
    hooks = Hooks(process=Card, host=FixedHost(), monotonic_ns=lambda: 0, zone=UTC)
    return Viewer([feed or Feed()], config, state, hooks)


async def settle(pilot: Pilot[int]) -> None:
    """Wait until every message is taken, every row scanned, and everything drawn."""
    app = pilot.app
    assert isinstance(app, Viewer)
    for _ in range(50):
        await pilot.pause()
        await app.work()
        await app.workers.wait_for_complete()
        if not app.filters.scanning and not app.busy:
            break
        await asyncio.sleep(0.01)
    await pilot.pause()


def feed_of(pilot: Pilot[int]) -> Feed:
    """The feed the viewer looks at."""
    app = pilot.app
    assert isinstance(app, Viewer)
    source = app.sources.alone
    inner = getattr(source, "source", source)
    assert isinstance(inner, Feed)
    return inner


async def play(pilot: Pilot[int], what: Callable[[Feed], None] = Feed.play) -> None:
    """Let the feed say something, and show it."""
    await settle(pilot)
    what(feed_of(pilot))
    await settle(pilot)


async def press(pilot: Pilot[int], *keys: str) -> None:
    """Press *keys* and wait for what they do."""
    for key in keys:
        await pilot.press(key)
    await settle(pilot)


async def resize(pilot: Pilot[int], size: tuple[int, int]) -> None:
    """Make the terminal so wide and so high."""
    await pilot.resize_terminal(*size)
    await settle(pilot)


CONTROLS = {"\b": "backspace", "\x15": "ctrl+u", "\t": "tab", "\r": "enter", "\x1b": "escape"}
"""Names of keys that are not letters, by what a terminal sends for them."""


def burst(pilot: Pilot[int], text: str) -> None:
    """Send keys all at once, as a thin link delivers them."""
    for char in text:
        name = CONTROLS.get(char) or (char if char.isalnum() else _character_to_key(char))
        pilot.app.post_message(events.Key(name, char if char.isprintable() else None))


async def type_in(pilot: Pilot[int], text: str) -> None:
    """Type *text* as somebody does who knows it: no key waits until the one before has been drawn."""
    burst(pilot, text)
    await settle(pilot)


@asynccontextmanager
async def running(
    feed: Feed | None = None,
    size: tuple[int, int] = (120, 40),
    config: Config | None = None,
    state: SavedState | None = None,
    what: Callable[[Feed], None] = Feed.play,
) -> AsyncIterator[Pilot[int]]:
    """A viewer with some events."""
    app = viewer(feed, config, state)
    async with app.run_test(size=size, notifications=True) as pilot:
        while not app._begun:
            await asyncio.sleep(0.002)
        what(feed_of(pilot))
        await settle(pilot)
        yield pilot


def main_of(pilot: Pilot[int]) -> Main:
    """The first screen."""
    assert isinstance(pilot.app, Viewer)
    return pilot.app.main


def table(pilot: Pilot[int], program: str = "runqslower") -> EventTable:
    """The table of *program*."""
    app = pilot.app
    assert isinstance(app, Viewer)
    return next(p.table for p in app.main.panes if p.program == program)


def shown(pilot: Pilot[int]) -> str:
    """The whole screen as text."""
    lines = pilot.app.screen._compositor.render_strips()
    return "\n".join(line.text.rstrip() for line in lines)


def dropping(feed: Feed) -> None:
    """Some load, then two losses; the second is going on."""
    feed.play(8, 20)
    few = {"runqslower": 5, "execsnoop": 2, "unlinksnoop": 2}
    feed.events(few, {1: 12})
    feed.fill({0: 0.12, 1: 0.6})
    feed.stats()
    feed.events(few, {0: 3, 1: 1204})
    feed.stats()
