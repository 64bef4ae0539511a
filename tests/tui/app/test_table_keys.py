"""The keys of a table of events: moving, freezing, sorting, and filtering by a cell."""

from __future__ import annotations

from ringtop.tui.model.line import row_of
from ringtop.tui.widgets.process_screen import ProcessScreen
from tests.tui.viewing import main_of, play, press, running, shown, table


async def test_space_freezes_all_tables_and_lets_them_go() -> None:
    async with running() as pilot:
        await press(pilot, "space")
        before = table(pilot).page_text()
        await play(pilot)
        assert table(pilot).page_text() == before
        assert table(pilot, "unlinksnoop").view.frozen
        assert "frozen" in shown(pilot)
        assert f"+{table(pilot).view.new} new" in shown(pilot)
        assert table(pilot).view.new > 100
        await press(pilot, "space")
        assert not table(pilot).view.frozen
        assert table(pilot).page_text() != before


async def test_counters_go_on_while_rows_are_frozen() -> None:
    async with running() as pilot:
        await press(pilot, "space")
        await play(pilot, lambda feed: (feed.events({"runqslower": 5}, {1: 77}), feed.stats()))
        assert "lost 77" in shown(pilot)


async def test_scrolling_up_freezes_and_end_follows() -> None:
    async with running() as pilot:
        for key in ("F", "end"):
            await press(pilot, "up")
            assert table(pilot).view.frozen
            assert not table(pilot, "execsnoop").view.frozen
            row = table(pilot).event
            await play(pilot)
            now = table(pilot).event
            assert row is not None
            assert now is not None
            assert now.number == row.number
            await press(pilot, key)
            assert not table(pilot).view.frozen
            assert table(pilot).cursor == len(table(pilot).view) - 1


async def test_up_and_down() -> None:
    async with running() as pilot:
        for key, back in [("up", "down"), ("k", "j"), ("pageup", "pagedown"), ("ctrl+b", "ctrl+f")]:
            start, rows = table(pilot).cursor, table(pilot).rows
            await press(pilot, key)
            moved = start - table(pilot).cursor
            assert moved == (1 if key in ("up", "k") else rows - 1)
            await press(pilot, back if moved == 1 else "up")
            assert start - table(pilot).cursor == (0 if moved == 1 else moved + 1)
            await press(pilot, "F")


async def test_down_in_a_table_that_follows_does_nothing() -> None:
    async with running() as pilot:
        await press(pilot, "down")
        assert not table(pilot).view.frozen


async def test_page_down_at_the_end_follows_again() -> None:
    async with running() as pilot:
        await press(pilot, "up", "pagedown", "pagedown")
        assert not table(pilot).view.frozen


async def test_home_is_the_oldest_row() -> None:
    async with running() as pilot:
        for key in ("home", "g"):
            await press(pilot, "F", key)
            assert table(pilot).cursor == 0
            assert table(pilot).place.top == 0


async def test_left_and_right_choose_a_column() -> None:
    async with running() as pilot:
        for left, right in [("left", "right"), ("h", "l")]:
            assert table(pilot).column == "latency"  # what the events are judged by
            await press(pilot, left)
            assert table(pilot).column == "tid"
            await press(pilot, right)
        await press(pilot, *["right"] * 9)
        assert table(pilot).column == "culprit_share"


async def test_right_in_the_last_column_scrolls_long_arguments() -> None:
    async with running(size=(80, 24)) as pilot:
        await press(pilot, "2")
        whole = table(pilot, "execsnoop").page_text()
        await press(pilot, "l", "l", "l")
        assert table(pilot, "execsnoop").offset_text == 16
        assert table(pilot, "execsnoop").page_text() != whole
        await press(pilot, "h", "h")
        assert table(pilot, "execsnoop").page_text() == whole


async def test_s_sorts_by_the_column_down_up_and_not() -> None:
    async with running() as pilot:
        await press(pilot, "1")
        assert table(pilot).column == "latency"
        plain = table(pilot).page_text()

        def top() -> list[int]:
            view = table(pilot).view
            numbers = row_of(view.lines(0, 20))
            return [int(x) for x in view.table.ring.values("latency", numbers).tolist()]

        await press(pilot, "s")
        assert top() == sorted(top(), reverse=True)
        assert "LATENCY▼" in shown(pilot)
        await press(pilot, "s")
        assert top() == sorted(top())
        await press(pilot, "s")
        assert table(pilot).page_text() == plain


async def test_equals_adds_the_cell_to_the_filter() -> None:
    async with running() as pilot:
        event = table(pilot).event
        assert event is not None
        await press(pilot, *["right"] * 9, "left", "equals_sign")
        comm = event.batch.text("culprit_comm")[0].decode()
        assert main_of(pilot).filters.text == f"culprit_comm={comm}"
        await press(pilot, "right", "equals_sign")
        assert main_of(pilot).filters.text.startswith(f"culprit_comm={comm} and culprit_share=")
        assert 0 < table(pilot).view.matched < len(table(pilot).view.table)


async def test_an_exclamation_mark_filters_the_cell_out() -> None:
    async with running() as pilot:
        event = table(pilot).event
        assert event is not None
        await press(pilot, *["right"] * 9, "left", "exclamation_mark")
        comm = event.batch.text("culprit_comm")[0].decode()
        assert main_of(pilot).filters.text == f"not culprit_comm={comm}"
        left = table(pilot).view.matched
        await press(pilot, "escape", "equals_sign")
        assert left + table(pilot).view.matched == len(table(pilot).view.table)
        assert 0 < left < len(table(pilot).view.table)


async def test_p_pivots_all_tables_to_the_process_and_escape_goes_back() -> None:
    async with running() as pilot:
        event = table(pilot).event
        assert event is not None
        await press(pilot, "p")
        assert main_of(pilot).filters.text == f"pid={event.batch.rows['pid'][0]}"
        assert all(p.table.view.predicate is not None for p in main_of(pilot).panes)
        await press(pilot, "escape")
        assert main_of(pilot).filters.text == ""
        assert table(pilot).view.matched == len(table(pilot).view.table)


async def test_y_copies_the_row_whole_and_Y_the_view() -> None:
    async with running(size=(60, 15)) as pilot:
        await press(pilot, "2", "y")
        copied = pilot.app.clipboard
        assert copied.count("\t") == 7
        assert "…" not in copied
        await press(pilot, "Y")
        assert pilot.app.clipboard.splitlines() == table(pilot, "execsnoop").page_text()


async def test_enter_shows_the_process() -> None:
    async with running() as pilot:
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, ProcessScreen)
