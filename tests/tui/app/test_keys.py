"""The keys of the app, its panes and its screens; those of the tables are in ``test_table_keys.py``."""

from __future__ import annotations

import pytest
from textual import events

from ringtop.bpf import stream
from ringtop.tui.app.app import Viewer
from ringtop.tui.settings.config import Config
from ringtop.tui.settings.state import SavedState
from ringtop.tui.widgets import keys
from ringtop.tui.widgets.chooser import ColumnChooser
from ringtop.tui.widgets.filterbar import FilterBar
from ringtop.tui.widgets.help import Help
from ringtop.tui.widgets.main import Main
from ringtop.tui.widgets.theme_picker import ThemePicker
from tests.tui.feed import Feed
from tests.tui.viewing import feed_of, main_of, play, press, running, settle, shown, table, type_in

INHERITED = ("app.focus_next", "app.focus_previous", "screen.copy_text", "quit")
"""Actions of Textual's own bindings."""


async def test_numbers_show_one_table_or_all() -> None:
    async with running() as pilot:
        panes = main_of(pilot).panes
        for key, program in (("1", "runqslower"), ("2", "execsnoop"), ("3", "unlinksnoop")):
            await press(pilot, key)
            assert [p.program for p in panes if p.display] == [program]
            assert pilot.app.focused is table(pilot, program)
        await press(pilot, "0")
        assert all(p.display for p in panes)


async def test_tab_goes_from_table_to_table() -> None:
    async with running() as pilot:
        assert pilot.app.focused is table(pilot, "runqslower")
        await press(pilot, "tab")
        assert pilot.app.focused is table(pilot, "execsnoop")
        await press(pilot, "shift+tab")
        assert pilot.app.focused is table(pilot, "runqslower")


async def test_one_line_has_every_cpu_before_it_has_the_size_again() -> None:
    async with running(size=(120, 40)) as pilot:
        await play(pilot)
        line = next(line for line in shown(pilot).splitlines() if " buffers 1 " in line)
        for program in line.split(" │ "):
            assert "c0 " in program, line
            assert "c1 " in program, line


async def test_b_shows_all_of_the_buffers() -> None:
    async with running() as pilot:
        assert "CPU share" not in shown(pilot)
        assert " buffers 1 " in shown(pilot)
        await press(pilot, "b")
        assert "CPU share" in shown(pilot)
        assert " buffers 1 " not in shown(pilot)
        await press(pilot, "b")
        assert "CPU share" not in shown(pilot)


async def test_d_hides_the_detail_of_the_selected_row() -> None:
    async with running() as pilot:
        await press(pilot, "up")
        assert "cgroup 4026" in shown(pilot)
        await press(pilot, "d")
        assert "cgroup 4026" not in shown(pilot)


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_b_shows_the_buffers_also_where_there_is_little_room(size: tuple[int, int]) -> None:
    async with running(size=size) as pilot:
        assert "CPU share" not in shown(pilot)
        await press(pilot, "b")
        assert "CPU share" in shown(pilot)
        assert table(pilot).rows > 1
        await press(pilot, "b")
        assert "CPU share" not in shown(pilot)


async def test_d_in_a_table_that_follows_holds_it() -> None:
    async with running(size=(80, 24)) as pilot:
        assert "cgroup 4026" not in shown(pilot)
        await press(pilot, "d")
        assert table(pilot).view.frozen
        assert "cgroup 4026" in shown(pilot)


async def test_keys_without_room_for_what_they_show_are_not_offered() -> None:
    async with running(size=(60, 14)) as pilot:
        assert {"buffers", "detail"}.isdisjoint(k.id for k in keys.listing(pilot.app.screen))
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert {"buffers", "detail"} <= {k.id for k in keys.listing(pilot.app.screen)}


async def test_a_goes_through_the_ways_to_show_times() -> None:
    async with running(what=lambda feed: feed.play(8)) as pilot:
        assert "00:00:01." in shown(pilot)
        await press(pilot, "a")
        assert "0.1s" in shown(pilot)
        await press(pilot, "a")
        assert "1001." in shown(pilot)
        await press(pilot, "a")
        assert "00:00:01." in shown(pilot)


async def test_C_chooses_and_orders_columns() -> None:
    async with running() as pilot:
        await press(pilot, "C")
        assert isinstance(pilot.app.screen, ColumnChooser)
        await press(pilot, "down", "space", "shift+down", "enter")
        assert isinstance(pilot.app.screen, Main)
        names = [c.name for c in table(pilot).columns]
        assert "cpu" not in names
        await press(pilot, "C", "J", "enter")
        assert [c.name for c in table(pilot).columns][:2] == ["comm", "time"]
        await press(pilot, "C", "d", "escape")
        assert [c.name for c in table(pilot).columns][:2] == ["comm", "time"]
        await press(pilot, "C", "K", "d", "enter")
        assert [c.name for c in table(pilot).columns][:2] == ["time", "cpu"]


async def test_question_mark_lists_the_keys() -> None:
    async with running() as pilot:
        await press(pilot, "question_mark")
        assert isinstance(pilot.app.screen, Help)
        assert "Freeze the rows of all tables" in shown(pilot)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, Main)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (["enter"], "Esc q Backspace  Back: go back to where this was opened"),
        (["T"], "Esc q T  Back: restore the old theme"),
        (["C"], "Esc q "),
        (["t", "A", "enter"], "Esc q Enter  Close"),
    ],
)
async def test_question_mark_lists_the_keys_of_every_screen(keys: list[str], said: str) -> None:
    async with running() as pilot:
        await press(pilot, *keys)
        if "A" in keys:
            await play(pilot, lambda feed: feed.events({}, seconds=15))
        under = pilot.app.screen
        await press(pilot, "question_mark")
        assert isinstance(pilot.app.screen, Help)
        helped = "\n".join(str(s.render()) for s in pilot.app.screen.query("Static"))
        assert said in helped
        await press(pilot, "escape")
        assert pilot.app.screen is under


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_quitting(key: str) -> None:
    async with running() as pilot:
        await pilot.press(key)
    assert pilot.app.return_value == 0
    assert feed_of(pilot).stops == 1


async def test_ctrl_c_quits_from_the_filter_too() -> None:
    async with running() as pilot:
        await press(pilot, "slash")
        await pilot.press("ctrl+c")
    assert pilot.app.return_value == 0


async def test_T_picks_a_theme() -> None:
    async with running() as pilot:
        await press(pilot, "T")
        assert isinstance(pilot.app.screen, ThemePicker)


async def test_r_is_offered_only_when_there_is_something_to_retry() -> None:
    async with running() as pilot:
        assert "retry" not in [k.id for k in keys.listing(pilot.app.screen)]
        await play(pilot, Feed.lose_collector)
        assert "retry" in [k.id for k in keys.listing(pilot.app.screen)]
        kept = len(table(pilot).view.table)
        await press(pilot, "r")
        assert feed_of(pilot).starts == 2
        await play(pilot)
        assert "collector running" in shown(pilot)
        assert len(table(pilot).view.table) > kept


async def test_r_sets_again_what_was_set_before() -> None:
    async with running() as pilot:
        await press(pilot, "+", "w", "tab", "t", "c")
        await type_in(pilot, "pid=1000")
        await press(pilot, "enter")
        await play(pilot, lambda feed: (feed.events({"runqslower": 5}, {1: 77}), feed.stats()))
        before = dict(main_of(pilot).model.machine.states)
        await play(pilot, Feed.lose_collector)
        feed_of(pilot).capture = ""
        await press(pilot, "r")
        await play(pilot, lambda feed: feed.play(1, 3))
        assert main_of(pilot).model.machine.states == before
        assert any(
            "collector restarted ╌ the settings from before are requested again" in x for x in table(pilot).page_text()
        )
        assert "lost 77" in shown(pilot)


async def test_capture_filter_is_sent_and_marked() -> None:
    async with running() as pilot:
        await press(pilot, "c")
        await type_in(pilot, "pid=1000")
        assert feed_of(pilot).controls == []
        await press(pilot, "enter")
        assert feed_of(pilot).controls == [stream.SetCapture("pid=1000")]
        await press(pilot, "b")
        assert "⚙ pid=1000 (0 kept out)" in shown(pilot)
        assert not main_of(pilot).query_one(FilterBar).display


async def test_the_unit_of_a_row_is_captured_alone_and_then_the_whole_host_again() -> None:
    async with running() as pilot:
        await press(pilot, "U")
        assert feed_of(pilot).controls == [stream.Follow(cgroup=4026)]
        assert "only unit web.service" in shown(pilot)
        await press(pilot, "U")
        assert feed_of(pilot).controls[1:] == [stream.Follow()]


async def test_the_process_of_a_row_is_captured_alone_and_then_the_whole_host_again() -> None:
    async with running() as pilot:
        pid = table(pilot).pid
        assert pid is not None
        await press(pilot, "P")
        assert feed_of(pilot).controls == [stream.Follow([pid])]
        assert f"only nginx ({pid}) and what it starts" in shown(pilot)
        await press(pilot, "P")
        assert feed_of(pilot).controls == [stream.Follow([pid]), stream.Follow([])]
        assert "only nginx" not in shown(pilot).splitlines()[2]
        await press(pilot, "F")
        assert any("capturing the whole host" in line for line in table(pilot).page_text())


async def test_keys_can_be_remapped() -> None:
    async with running(config=Config(keys={"freeze": "x", "quit": "Q"})) as pilot:
        await press(pilot, "x")
        assert table(pilot).view.frozen
        assert " x Freeze" in shown(pilot)
        await pilot.press("Q")
    assert pilot.app.return_value == 0


async def test_what_is_worth_it_is_remembered() -> None:
    state = SavedState()
    async with running(state=state) as pilot:
        await press(pilot, "slash")
        await type_in(pilot, "comm=nginx")
        await press(pilot, "enter", "a", "C", "space", "enter", "v", "q")
    assert state.filters == ["comm=nginx"]
    assert state.time == "relative"
    assert list(state.columns) == list(state.shows) == ["runqslower"], "only what was chosen: the usual may change"
    assert "time" not in state.columns["runqslower"]
    async with running(state=state) as pilot:
        await settle(pilot)
        assert "/comm=nginx" not in shown(pilot)  # yesterday's filter hides nothing today
        await press(pilot, "slash", "up", "enter")
        assert "/comm=nginx" in shown(pilot)


async def test_mouse_selects_sorts_scrolls_and_presses_keys() -> None:
    async with running() as pilot:
        here = table(pilot)
        await pilot.click(here, offset=(5, 3))
        await settle(pilot)
        assert here.view.frozen
        assert here.cursor == here.place.top + 2
        assert here.column == "time"
        x = next(p.x for p in here.placed if p.field.name == "latency")
        await pilot.click(here, offset=(x + 2, 0))
        await settle(pilot)
        assert here.view.sort is not None
        assert here.view.sort.field == "latency"
        other = table(pilot, "execsnoop")
        await pilot._post_mouse_events([events.MouseScrollUp], other, button=0)
        await settle(pilot)
        assert other.view.frozen
        await pilot.click("#footer", offset=(pilot.app.screen.query_one("#footer").size.width - 30, 0))
        await settle(pilot)


async def test_footer_help_and_palette_agree() -> None:
    async with running(size=(200, 60)) as pilot:
        app = pilot.app
        assert isinstance(app, Viewer)
        listed = keys.listing(app.screen)
        footer = {k.id for k in listed if k.show}
        palette = {c.title: c.help for c in app.get_system_commands(app.screen)}
        on_screen = shown(pilot).splitlines()[-1]
        await press(pilot, "question_mark")
        helped = "\n".join(str(s.render()) for s in app.screen.query("Static"))
        for key in listed:
            if key.id != "palette":
                assert f"{key.about}  ({key.keys})" in palette
            assert key.about in helped
            assert key.keys in helped
            if key.id in footer:
                assert f"{key.keys.split()[0]} {key.about}" in on_screen
        everything = {title for title in palette if "of all tables" in title}
        assert len(palette) == len(listed) - 1 + len(everything)
        assert len(everything) == 2


async def test_every_binding_has_an_id_of_its_own() -> None:
    async with running() as pilot:
        seen: dict[str, str] = {}
        for node, binding, _, _ in pilot.app.screen.active_bindings.values():
            if type(node).__module__.startswith("ringtop"):
                assert binding.id or binding.action in INHERITED
                if binding.id:
                    assert seen.setdefault(binding.id, binding.action) == binding.action
