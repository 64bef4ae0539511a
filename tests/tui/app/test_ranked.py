"""Ranked rows on the screen: they are above the events, lead to them and back, and count behind a filter."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from ringtop.bpf import stream
from ringtop.bpf.event.schema import usual
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.app.app import Viewer
from ringtop.tui.draw.ranks import MARKS
from ringtop.tui.settings.config import Config
from ringtop.tui.settings.state import SavedState
from ringtop.tui.top.keys import keys
from ringtop.tui.top.measures import ALL
from ringtop.tui.top.report import Report
from ringtop.tui.widgets.pane import Pane
from ringtop.tui.widgets.ranked import RankedTable
from tests.tui.feed import Feed
from tests.tui.viewing import feed_of, play, press, running, settle, shown

SHOWS = "both"


def app_of(pilot: Pilot[int]) -> Viewer:
    assert isinstance(pilot.app, Viewer)
    return pilot.app


def pane_of(pilot: Pilot[int], program: str = "runqslower") -> Pane:
    return next(p for p in app_of(pilot).main.panes if p.program == program)


def whole(pilot: Pilot[int], program: str) -> Report:
    """All rows of all events of *program*."""
    return app_of(pilot).top.report(program, rows=1 << 14)


async def test_ranked_rows_stand_above_the_events_and_count_them_all() -> None:
    async with running() as pilot:
        for pane in app_of(pilot).main.panes:
            report = pane.ranking.report
            assert sum(row.events for row in report.rows) + report.others.events == pane.view.table.received
            assert pane.ranks.display
            assert pane.table.display
            assert report.verdict[0] in shown(pilot)
        assert isinstance(pilot.app.focused, RankedTable)
        assert "since start" in shown(pilot)


async def test_events_that_the_screen_let_go_are_counted_all_the_same() -> None:
    async with running() as pilot:
        app = app_of(pilot)
        before = whole(pilot, "unlinksnoop").events
        app.inbox._limit = 1 << 14
        feed = feed_of(pilot)
        for _ in range(23):
            feed.events({"runqslower": 0, "execsnoop": 0, "unlinksnoop": 211})
        skipped = dict(app.inbox._skipped)
        assert skipped["unlinksnoop"] > 0
        assert whole(pilot, "unlinksnoop").events == before + 23 * 211


async def test_the_unit_of_all_events_of_a_row_is_captured_alone() -> None:
    async with running(size=(120, 60)) as pilot:
        pane_of(pilot).ranks.focus()
        await press(pilot, "down", "U")
        assert feed_of(pilot).controls == [stream.Follow(cgroup=4026)]


async def test_the_cursor_belongs_to_a_row_and_enter_leads_to_its_events_and_back() -> None:
    async with running() as pilot:
        await press(pilot, "1", "down")
        pane = pane_of(pilot)
        row = pane.ranking.row
        assert row is not None
        assert pane.ranking.cursor == 1
        await press(pilot, "enter")
        assert not pane.ranks.display
        assert pane.view.matched == row.events
        comms = {pane.view.table.event(int(n) >> 1).batch.text("comm")[0] for n in pane.view.lines(0, 1000) if n & 1}
        assert comms == {row.key[0]}
        assert f"{row.key[0].decode()}: {row.events}" in shown(pilot)
        await press(pilot, "escape")
        assert pane.ranks.display
        assert pane.ranks.has_focus
        assert pane.ranking.row is not None
        assert pane.ranking.row.id == row.id
        assert pane.view.matched == len(pane.view.table)
        await press(pilot, "enter", "backspace")
        assert pane.ranks.has_focus


async def test_the_row_stays_under_the_cursor_when_others_pass_it() -> None:
    async with running() as pilot:
        await press(pilot, "1", "down", "down")
        pane = pane_of(pilot)
        row = pane.ranking.row
        assert row is not None
        for _ in range(100):
            feed_of(pilot).events({"runqslower": 23, "execsnoop": 0, "unlinksnoop": 0})
        await settle(pilot)
        for _ in range(3):
            pane.ranking.order.release()
            pane.ranking.renew()
            assert pane.ranking.row is not None
            assert pane.ranking.row.id == row.id


async def test_v_goes_through_what_a_pane_shows_and_it_is_remembered() -> None:
    state = SavedState()
    async with running(state=state) as pilot:
        pane, other = pane_of(pilot), pane_of(pilot, "execsnoop")
        await press(pilot, "v")
        assert (pane.ranks.display, pane.table.display) == (True, False)
        assert other.table.display
        await press(pilot, "v")
        assert (pane.ranks.display, pane.table.display) == (False, True)
        assert pane.table.has_focus
        await press(pilot, "V")
        assert [p.shows for p in app_of(pilot).main.panes] == ["both"] * 3
        await press(pilot, "v", "q")
    assert state.shows == {"runqslower": "top"}


async def test_a_filter_counts_the_kept_events_anew_and_escape_brings_the_totals_back() -> None:
    async with running() as pilot:
        total = whole(pilot, "runqslower").events
        comm = whole(pilot, "runqslower").rows[0].key[0]
        one = whole(pilot, "runqslower").rows[0].events
        assert 0 < one < total
        app_of(pilot).main.apply(f"comm={comm.decode()}")
        await settle(pilot)
        report = pane_of(pilot).ranking.report
        assert [row.key for row in report.rows] == [(comm,)]
        assert report.events == one
        assert f"/comm={comm.decode()}" in shown(pilot)
        await play(pilot)
        report, everything = pane_of(pilot).ranking.report, whole(pilot, "runqslower")
        assert everything.events > total
        assert report.events == sum(row.events for row in everything.rows if row.key == (comm,)) > one
        await press(pilot, "escape")
        assert pane_of(pilot).ranking.report.events == everything.events


async def test_equals_and_not_filter_by_the_key_of_the_row() -> None:
    async with running() as pilot:
        app = app_of(pilot)
        await press(pilot, "1", *["left"] * 20, "down", "equals_sign")
        row = pane_of(pilot).ranking.row
        assert row is not None
        assert app.filters.text == f"comm={row.key[0].decode()}"
        await press(pilot, "escape", "exclamation_mark")
        assert app.filters.text.startswith("not comm=")


async def test_window_fold_hold_pin_and_a_new_start() -> None:
    async with running() as pilot:
        await press(pilot, "1", "i")
        assert "last 10s" in shown(pilot)
        await press(pilot, "i", "i", "i")
        assert "since start" in shown(pilot)
        await press(pilot, "o")
        assert "order held" in shown(pilot)
        await press(pilot, "o", "down", "down", "m")
        ranking = pane_of(pilot).ranking
        row = ranking.row
        assert row is not None
        assert ranking.report.order[0] == row.id
        key = ranking.report.key.name
        await press(pilot, "f")
        assert ranking.report.key.name != key
        assert ranking.report.events == pane_of(pilot).view.table.received
        await press(pilot, *["f"] * (sum(not one.of_hosts for one in keys("runqslower")) - 1))
        assert ranking.report.key.name == key
        await press(pilot, "z")
        assert ranking.report.events == 0


async def test_brackets_fold_by_finer_and_coarser_keys_and_say_where_there_is_none() -> None:
    async with running(size=(200, 60)) as pilot:
        await press(pilot, "2")
        ranking = pane_of(pilot, "execsnoop").ranking
        for key in ("argv", "argv"):
            await press(pilot, "right_square_bracket")
            assert ranking.report.key.name == key
        assert "No key is finer than exact arguments" in shown(pilot)
        for key in ("command", "subcommand", "program", "program"):
            await press(pilot, "left_square_bracket")
            assert ranking.report.key.name == key
        assert "No key is coarser than program" in shown(pilot)


async def test_4_shows_all_programs_together() -> None:
    async with running() as pilot:
        await press(pilot, "4")
        assert app_of(pilot).main.tables.whole.ranks.has_focus
        assert "all programs" in shown(pilot)
        received = sum(p.view.table.received for p in app_of(pilot).main.panes)
        assert whole(pilot, ALL).events == received
        ranks = app_of(pilot).main.tables.whole.ranks
        last = ranks.placed[-1]
        assert ranks.here != last.column.name
        below = len(ranks.ranking.report.rows) + 3
        await pilot.click(ranks, offset=(last.x + MARKS, below))  # below the rows: it chooses the column
        await settle(pilot)
        under = [s.text.strip() for s in ranks.render_line(0) if s.style and s.style.underline]
        assert last.column.title in under
        await press(pilot, "down", "0")
        assert pane_of(pilot).display


async def test_space_holds_values_and_order() -> None:
    async with running() as pilot:
        await press(pilot, "space")
        before = pane_of(pilot).ranking.report.events
        await play(pilot)
        assert pane_of(pilot).ranking.report.events == before
        assert "frozen" in shown(pilot)
        await press(pilot, "space")
        assert pane_of(pilot).ranking.report.events > before


async def test_small_screens_show_ranked_rows_alone() -> None:
    async with running(size=(80, 24)) as pilot:
        pane = pane_of(pilot)
        assert pane.ranks.display
        assert not pane.table.display
        assert " buffers 1 " not in shown(pilot)


@pytest.mark.parametrize(("programs", "size"), [(usual(), (120, 40)), (usual()[:2], (80, 26))])
async def test_the_fields_of_the_selected_event_hide_no_table(programs: tuple[str, ...], size: tuple[int, int]) -> None:
    """The events would go, the fields with them, and so there would be room for the events again."""
    config = Config(collector=CollectorOptions(programs=programs))
    async with running(Feed(programs=programs), size, config) as pilot:
        await press(pilot, "space", "tab", "up")
        first = shown(pilot)
        assert "cgroup 4026" in first
        for _ in range(3):
            app_of(pilot).main.update()
            await settle(pilot)
            assert shown(pilot) == first


async def test_the_table_of_all_programs_gives_the_focus_back_when_it_goes() -> None:
    async with running(size=(80, 24)) as pilot:
        await press(pilot, "4", "0")
        assert pilot.app.focused is pane_of(pilot).ranks
        assert "Space" in shown(pilot).splitlines()[-1]
    async with running(size=(200, 60)) as pilot:
        await press(pilot, "shift+tab")
        assert pilot.app.focused is not None
        assert pilot.app.focused.id == "ranks-all"
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert pilot.app.focused is pane_of(pilot).ranks
