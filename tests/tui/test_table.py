"""A table under the keys: which row the cursor is on, and what is done with it."""

from __future__ import annotations

import pytest

from ringtop.tui.widgets.main import Main
from tests.tui.viewing import dropping, play, press, running, settle, shown, table, type_in


@pytest.mark.parametrize("text", ["comm=nginx", "comm=nobody"])
async def test_a_filter_that_hides_the_chosen_row_gives_it_back(text: str) -> None:
    async with running(size=(80, 24)) as pilot:
        await play(pilot)
        await press(pilot, "2", "pageup", "pageup", "up")
        events = table(pilot, "execsnoop")
        chosen, top = events.cursor, events.top
        assert chosen > 0
        await press(pilot, "slash")
        await type_in(pilot, text)
        await press(pilot, "escape")
        assert (events.cursor, events.top) == (chosen, top)


async def test_a_repaint_before_the_rows_are_scanned_keeps_the_chosen_row() -> None:
    async with running(size=(80, 24)) as pilot:
        await press(pilot, "2", "up", "up")
        events = table(pilot, "execsnoop")
        chosen = events.cursor
        events.view.filter(None)
        events.repaint()
        await settle(pilot)
        assert events.cursor == chosen


async def test_a_gap_is_no_event() -> None:
    async with running(what=dropping) as pilot:
        events = table(pilot)
        lines = events.view.lines(0, len(events.view)).tolist()
        events.go(next(i for i, line in enumerate(lines) if not line & 1))
        await settle(pilot)
        assert events.event is None
        assert "note " + events.note in shown(pilot)
        await press(pilot, "y")
        assert pilot.app.clipboard == events.note
        await press(pilot, "p", "equals_sign", "enter")
        assert isinstance(pilot.app.screen, Main)
        assert events.view.predicate is None
