"""A table under the keys: which row the cursor is on, and what is done with it."""

from __future__ import annotations

import pytest

from ringtop.tui.model.line import is_row
from ringtop.tui.widgets.main import Main
from tests.tui.viewing import dropping, play, press, running, settle, shown, table, type_in


@pytest.mark.parametrize("text", ["comm=nginx", "comm=nobody"])
async def test_a_filter_that_hides_the_chosen_row_gives_it_back(text: str) -> None:
    async with running(size=(80, 24)) as pilot:
        await play(pilot)
        await press(pilot, "2", "pageup", "pageup", "up")
        events = table(pilot, "execsnoop")
        chosen, top = events.cursor, events.place.top
        assert chosen > 0
        await press(pilot, "slash")
        await type_in(pilot, text)
        await press(pilot, "escape")
        assert (events.cursor, events.place.top) == (chosen, top)


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
        events.go(next(i for i, line in enumerate(lines) if not is_row(line)))
        await settle(pilot)
        assert events.event is None
        assert "note " + events.note in shown(pilot)
        await press(pilot, "y")
        assert pilot.app.clipboard == events.note
        await press(pilot, "p", "equals_sign", "enter")
        assert isinstance(pilot.app.screen, Main)
        assert events.view.predicate is None


async def test_a_long_text_scrolls_to_its_end_and_no_further() -> None:
    async with running(size=(80, 24), what=lambda feed: feed.play(8)) as pilot:
        await press(pilot, "2")
        events = table(pilot, "execsnoop")
        await press(pilot, *["right"] * 40)
        assert events.offset_text == events.reach > 0
        rows = events.page_text()[1:]
        assert all("…" in row for row in rows)
        assert any(row.endswith("/etc/logrotate.conf") for row in rows)
        await press(pilot, "left", "end")
        assert events.offset_text == max(0, events.reach - 8)
        await press(pilot, *["left"] * 20)
        assert (events.offset_text, events.column) == (0, "time")


async def test_another_column_starts_at_its_beginning() -> None:
    async with running(size=(80, 24)) as pilot:
        await press(pilot, "2", "right", "right")
        events = table(pilot, "execsnoop")
        assert events.offset_text > 0
        await pilot.click(events, offset=(3, 2))
        await settle(pilot)
        assert (events.offset_text, events.column) == (0, "time")


async def test_the_cursor_is_on_a_column_that_is_shown() -> None:
    async with running(size=(40, 12)) as pilot:
        events = table(pilot)
        assert "prev_comm" not in [p.field.name for p in events.placed]
        await press(pilot, "s")
        assert events.view.sort is not None
        assert events.view.sort.field == events.column == events.placed[-1].field.name
        assert "▼" in shown(pilot)
