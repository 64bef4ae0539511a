"""Several hosts on the screen: which of them is shown, which of them keys act on, and who is away."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC

from textual.pilot import Pilot

from ringtop.bpf import stream
from ringtop.tui.app.app import Viewer
from ringtop.tui.app.hooks import Hooks
from ringtop.tui.draw import hosts as lines
from ringtop.tui.widgets.hosts import HostScreen
from tests.tui.feed import Feed
from tests.tui.viewing import press, settle, shown, table

COUNT = 23


@asynccontextmanager
async def watching(count: int = 3, size: tuple[int, int] = (140, 40)) -> AsyncIterator[tuple[Pilot[int], list[Feed]]]:
    """A viewer of so many hosts, which have some events each."""
    feeds = [Feed(seed=number) for number in range(count)]
    for number, feed in enumerate(feeds, 1):
        feed.label = f"web{number}"
    app = Viewer(feeds, hooks=Hooks(zone=UTC))
    async with app.run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        for feed in feeds:
            feed.events({"runqslower": COUNT, "execsnoop": COUNT})
            feed.stats()
        await gathered(pilot)
        yield pilot, feeds


async def gathered(pilot: Pilot[int]) -> None:
    """Show what the hosts have said."""
    assert isinstance(pilot.app, Viewer)
    pilot.app.sources.gather()
    await settle(pilot)


def viewer_of(pilot: Pilot[int]) -> Viewer:
    assert isinstance(pilot.app, Viewer)
    return pilot.app


async def test_a_host_is_chosen_from_the_list() -> None:
    async with watching() as (pilot, feeds):
        assert "3 hosts  web1" in shown(pilot)
        assert "all 3 hosts: lost 0" in shown(pilot)
        assert "HOST" in [field.column.title for field in table(pilot).columns]
        feeds[1].events({"execsnoop": 1}, lose={0: 7})
        feeds[1].stats()
        feeds[2].lose_collector(again_s=4)
        await gathered(pilot)
        assert "3 hosts, 1 away" in shown(pilot)
        assert "all 3 hosts: lost 7" in shown(pilot)
        await press(pilot, "at")
        listed = shown(pilot)
        assert [line.split()[0] for line in listed.splitlines()[2:5]] == ["web1", "web2", "web3"]
        assert "web1: running\n web-1  Linux 6.1.0-44-amd64  2 CPUs  ringtop 0.1.0" in listed
        await press(pilot, "end")
        assert " web3: away for 0s, trying again in 4s: killed by SIGKILL\n ringtop collect: cannot" in shown(pilot)
        await press(pilot, "up", "enter")
        assert "3 hosts, 1 away  web2" in shown(pilot)
        assert shown(pilot).splitlines()[1].startswith(" lost 7")
        await press(pilot, "at", "down", "enter")
        assert "Lost: web3: killed by SIGKILL" in shown(pilot)


async def test_only_the_events_of_one_host_are_shown() -> None:
    async with watching() as (pilot, _):
        assert table(pilot).view.matched == 3 * COUNT
        await press(pilot, "at", "down", "equals_sign")
        assert viewer_of(pilot).filters.text == "host=web2"
        assert table(pilot).view.matched == COUNT
        assert viewer_of(pilot).model.machine.name == "web2"


async def test_keys_act_on_all_hosts_or_on_one() -> None:
    async with watching() as (pilot, feeds):

        def asked() -> list[list[int]]:
            found = [[c.buffer_bytes for c in feed.controls if isinstance(c, stream.Retune)] for feed in feeds]
            for feed in feeds:
                feed.controls.clear()
            return found

        await press(pilot, "plus")
        assert asked() == [[512 << 10]] * 3
        await press(pilot, "at", "down", "enter", "at", "a", "escape")
        assert "keys act on web2" in shown(pilot)
        await press(pilot, "minus")
        assert [len(each) for each in asked()] == [0, 1, 0]
        await press(pilot, "up", "P")  # of the row under the cursor alone, whatever other keys act on
        event = table(pilot).event
        assert event is not None
        (follow,) = [c for feed in feeds for c in feed.controls]
        assert feeds[int(event.batch.rows["host"][0]) - 1].controls == [follow]
        number, pid = (int(event.batch.rows[name][0]) for name in ("host", "pid"))
        await press(pilot, "enter")
        assert f"on web{number}" in shown(pilot).splitlines()[0]
        await press(pilot, "p")
        assert viewer_of(pilot).filters.text == f"host=web{number} and pid={pid}"
        assert 0 < table(pilot).view.matched < COUNT
        await press(pilot, "R")
        assert "only one host can be recorded" in shown(pilot)


async def test_more_hosts_than_fit_scroll() -> None:
    async with watching(40, (80, 24)) as (pilot, _):
        await press(pilot, "at", "end")
        assert "web40" in shown(pilot)
        await press(pilot, "enter")
        assert re.search(
            r"40 hosts(, 40 away)?  web40", shown(pilot)
        )  # away on a slow machine: nothing comes from them
        await press(pilot, "at")
        assert isinstance(pilot.app.screen, HostScreen)
        assert all(len(line) <= 80 for line in shown(pilot).splitlines())
        assert [column.title for column in lines.fitting(79)][:3] == ["HOST", "EVENTS/S", "LOST"]
