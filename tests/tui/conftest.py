"""Every test of the viewer sees the same terminal and the same user."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator
from functools import cache, partial
from typing import Any

import pytest
from textual._context import active_app
from textual.app import App
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot

from ringtop.tui.app import app
from ringtop.tui.settings import themes
from ringtop.tui.top import order, ranking, top
from ringtop.tui.widgets import tables


@pytest.fixture(autouse=True)
def garbage_of_a_test_is_collected_once() -> Iterator[None]:
    """Every viewer leaves thousands of objects behind. To look at all of them again and again took half of the time,
    and to keep them takes half a GiB."""
    gc.disable()
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def style_sheets_parsed_once() -> Iterator[None]:
    """Each viewer parsed the same ones three times, which took a sixth of its start."""
    parse, parsed = Stylesheet._parse_rules, dict[tuple[object, ...], list[RuleSet]]()

    def look_up(self: Stylesheet, css: str, *rest: Any, **more: Any) -> list[RuleSet]:
        key = css, rest, *sorted(more.items()), *sorted(self._variables.items())
        if key not in parsed:
            parsed[key] = parse(self, css, *rest, **more)
        return parsed[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", look_up)
        # By identity as before, but without a call of a function in Python: each widget looks for all rules in a set.
        patch.setattr(RuleSet, "__hash__", object.__hash__)
        yield


@pytest.fixture(scope="session", autouse=True)
def themes_parsed_once() -> Iterator[None]:
    """Each viewer parsed all theme files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(themes, "load", cache(themes.load))
        yield


@pytest.fixture(autouse=True)
def first_shown(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests are about events unless their module says SHOWS = "both"; reports are always of now."""
    monkeypatch.setattr(tables, "USUAL", getattr(request.module, "SHOWS", "events"))
    if request.path.parent.name != "top":
        monkeypatch.setattr(ranking, "REPORT_S", 0)
        monkeypatch.setattr(order, "ROUND_S", 0)
        arrange = order.Order.arrange
        monkeypatch.setattr(order.Order, "arrange", lambda *given: arrange(*given[:5], exactly=True))
        monkeypatch.setattr(app, "Top", partial(top.Top, seed=bytes(16)))  # rows that tie stand in the same order


def at_rest(app: App[Any]) -> bool:
    """Everybody waits for a message."""
    pumps = [pump for pump in (app, *app.screen.walk_children(with_self=True)) if pump.is_running]
    queues = [pump._message_queue for pump in pumps]
    return all(not q.values and q.ready_event._waiters for q in queues) and not any(p._next_callbacks for p in pumps)


async def wait_until_at_rest(app: App[Any], limit_s: float) -> bool:
    """Wait for that, at most so long; return whether no widget has failed."""
    end = time.monotonic() + limit_s
    await asyncio.sleep(0.002)
    while not at_rest(app) and not app._exception_event.is_set() and time.monotonic() < end:
        await asyncio.sleep(0.004)
    return not app._exception_event.is_set()


async def rest_of_the_active_app(min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
    """What ``wait_for_idle`` is for: that waits until the process takes no time for a while, twice for each key."""
    await wait_until_at_rest(active_app.get(), max_sleep)


async def rest_of_the_screen(self: Pilot[Any], timeout: float = 30.0) -> bool:
    """What ``_wait_for_screen`` is for: that sends a message to each widget, six times for each key."""
    return await wait_until_at_rest(self.app, timeout)


@pytest.fixture(scope="session", autouse=True)
def rest_is_seen_at_once() -> Iterator[None]:
    """Looking for an idle process takes 20 ms, and the messages half of the time of a key."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("textual.app.wait_for_idle", rest_of_the_active_app)
        patch.setattr("textual.pilot.wait_for_idle", rest_of_the_active_app)
        patch.setattr(Pilot, "_wait_for_screen", rest_of_the_screen)
        yield


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """UTF-8, colours, no animations, whatever the machine has."""
    for name in ("LC_ALL", "LC_CTYPE", "NO_COLOR", "COLORTERM", "TEXTUAL_THEME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("TERM", "xterm-256color")
