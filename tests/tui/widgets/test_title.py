"""The title of a table: what is in force never leaves it, and nothing is left out while there are dashes."""

from __future__ import annotations

from itertools import product

from textual.pilot import Pilot

from ringtop.tui.app.app import Viewer
from tests.tui.viewing import dropping, press, running, settle, type_in

FILTER = "comm=nginx"


def titles(pilot: Pilot[int]) -> dict[str, str]:
    """The titles of the tables on the screen, by program."""
    assert isinstance(pilot.app, Viewer)
    return {p.program: p.title.render_line(0).text for p in pilot.app.main.panes}


async def test_filter_and_threshold_are_there_at_any_width() -> None:
    stages = (["enter"], ["space"], ["V", "V"], ["space"])  # filtered, frozen, events alone, not frozen
    async with running(size=(120, 40), what=dropping) as pilot:
        await press(pilot, "slash")
        await type_in(pilot, FILTER)
        for keys, width in product(stages, (120, 40, 60, 80, 200)):
            if width == 120:
                await press(pilot, *keys)
            await pilot.resize_terminal(width, 40)
            for program, title in titles(pilot).items():
                assert program in title
                assert f"/{FILTER[:6]}" in title
                assert (">= 10 ms" in title) == (program == "runqslower")
                assert width < 60 or f"/{FILTER}" in title


async def test_the_filter_is_told_before_there_is_room_for_dashes() -> None:
    async with running(size=(120, 40), what=dropping) as pilot:
        await press(pilot, "slash")
        await type_in(pilot, f"{FILTER} or comm=postgres or uid=0")
        await press(pilot, "enter", "space")
        for title in titles(pilot).values():
            assert "/comm=nginx or comm=postgres" in title


async def test_a_threshold_of_the_capture_filter_is_told_there() -> None:
    async with running(size=(60, 24)) as pilot:
        await press(pilot, "c")
        await type_in(pilot, "latency>50us")
        await press(pilot, "enter")
        await settle(pilot)
        assert "latency>50us" in titles(pilot)["runqslower"]
