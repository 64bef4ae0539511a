"""The filter as it is typed."""

from __future__ import annotations

import pytest

from ringtop.bpf.event.schema import usual
from ringtop.tui.model import completion
from ringtop.tui.model.store import Store
from ringtop.tui.settings.state import SavedState
from ringtop.tui.widgets.filterbar import FilterBar
from tests.samples import make
from tests.tui.viewing import burst, feed_of, main_of, play, press, running, settle, shown, table, type_in


async def test_matches_are_counted_while_typing() -> None:
    async with running() as pilot:
        await press(pilot, "slash")
        await type_in(pilot, "comm=nginx")
        view = table(pilot).view
        batch = view.table.ring.slice(0, view.table.end)
        assert view.matched == batch.text("comm").count(b"nginx") > 0
        for program in usual():
            view = table(pilot, program).view
            assert f"{program} {view.matched} of {len(view.table)}" in shown(pilot)
        assert "Rows that match" in shown(pilot)


async def test_an_error_points_at_its_column_and_the_last_valid_filter_stays() -> None:
    async with running() as pilot:
        await press(pilot, "slash")
        await type_in(pilot, "pid=1000")
        matched = table(pilot).view.matched
        await type_in(pilot, " and nonsense=1")
        lines = shown(pilot).splitlines()
        typed = next(i for i, line in enumerate(lines) if "nonsense=1" in line)
        assert lines[typed + 1].index("▲") == lines[typed].index("nonsense")
        assert table(pilot).view.matched == matched
        assert "/pid=1000" in shown(pilot)
        await press(pilot, "enter")
        assert pilot.app.screen.query_one(FilterBar).display


async def test_escape_goes_back_to_the_filter_before() -> None:
    async with running() as pilot:
        await press(pilot, "slash")
        await type_in(pilot, "pid=1000")
        await press(pilot, "enter", "slash")
        await type_in(pilot, " and cpu=0")
        assert "/pid=1000 and cpu=0" in shown(pilot)
        await press(pilot, "escape")
        assert "/pid=1000 " in shown(pilot)
        assert pilot.app.focused is table(pilot)


async def test_tab_completes_fields_and_recent_values() -> None:
    async with running() as pilot:
        await press(pilot, "slash")
        await type_in(pilot, "com")
        bar = pilot.app.screen.query_one(FilterBar)
        await press(pilot, "tab")
        assert bar.text == "comm"
        await type_in(pilot, "=n")
        await press(pilot, "tab")
        assert bar.text == "comm=nginx"
        await type_in(pilot, " and pid=")
        await press(pilot, "tab")
        first = bar.text
        await press(pilot, "tab")
        assert bar.text.startswith("comm=nginx and pid=1")
        assert bar.text != first


async def test_up_and_down_go_through_the_history() -> None:
    state = SavedState(filters=["cpu=0", "pid=1000"])
    async with running(state=state) as pilot:
        await press(pilot, "slash", "up")
        bar = pilot.app.screen.query_one(FilterBar)
        assert bar.text == "pid=1000"
        await press(pilot, "up")
        assert bar.text == "cpu=0"
        await press(pilot, "down", "down")
        assert bar.text == ""


async def test_letters_are_text_in_the_filter() -> None:
    async with running() as pilot:
        await press(pilot, "slash")
        await type_in(pilot, "q1c?")
        assert pilot.app.screen.query_one(FilterBar).text == "q1c?"
        assert "Filter" not in shown(pilot).splitlines()[-1]


async def test_new_rows_are_filtered_as_they_come() -> None:
    async with running() as pilot:
        await press(pilot, "slash")
        await type_in(pilot, "pid=1000")
        await press(pilot, "enter")
        before = table(pilot).view.matched
        await play(pilot)
        assert table(pilot).view.matched > before


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        ("", 'comm="a b"'),
        ("cpu=1", 'cpu=1 and comm="a b"'),
        ("cpu=1 or cpu=2", '(cpu=1 or cpu=2) and comm="a b"'),
    ],
)
def test_narrowing_a_filter(current: str, expected: str) -> None:
    field = Store().tables["runqslower"].ring.schema["comm"]
    assert field is not None
    assert completion.equals(field, b"a b", current) == expected


def test_every_value_completes_to_a_filter_that_finds_it() -> None:
    from ringtop.bpf import filter as language

    store = Store()
    argv = [b"a b", b"'\"\\"]
    batch = make("execsnoop", [{"pid": 4, "ppid": 0xFFFFFFFF, "ret": -2, "comm": b"\x1b[1m", "argv": argv}])
    store.append(batch)
    for name in ("pid", "ppid", "ret", "comm", "argv", "uid", "truncated"):
        (value,) = completion.recent(name, store)
        assert language.match(language.parse(f"{name}={value}"), batch).tolist() == [True], (name, value)


async def test_a_filter_can_be_typed_without_waiting_for_the_line() -> None:
    async with running() as pilot:
        await type_in(pilot, "/comm=ng\t")
        assert pilot.app.screen.query_one(FilterBar).text == "comm=nginx"


@pytest.mark.parametrize("opened", [True, False])
async def test_keys_of_a_burst_do_what_they_do_in_the_order_they_came(opened: bool) -> None:
    bursts = {
        "comm=xq\by": "comm=xy",
        "pid=1\x15cpu=0": "cpu=0",
        "com\t=ng\t or pid=1": "comm=nginx or pid=1",
    }
    async with running() as pilot:
        for keys, text in bursts.items():
            if opened:
                await press(pilot, "slash")
            burst(pilot, keys if opened else f"/{keys}")
            await settle(pilot)
            assert pilot.app.screen.query_one(FilterBar).text == text
            await press(pilot, "escape")


@pytest.mark.parametrize("opened", [True, False])
async def test_what_comes_after_enter_is_not_part_of_the_filter(opened: bool) -> None:
    async with running() as pilot:
        if opened:
            await press(pilot, "slash")
        burst(pilot, "pid=1000\rj" if opened else "/pid=1000\rj")
        await settle(pilot)
        assert not pilot.app.screen.query_one(FilterBar).display
        assert "/pid=1000 " in shown(pilot)


@pytest.mark.parametrize(("last", "text"), [("\r", "pid=1000"), ("\x1b", "")])
@pytest.mark.parametrize("opened", [True, False])
async def test_what_comes_after_the_filter_is_for_the_tables(last: str, text: str, opened: bool) -> None:
    async with running() as pilot:
        if opened:
            await press(pilot, "slash")
        burst(pilot, f"{'' if opened else '/'}pid=1000{last}2")
        await settle(pilot)
        await settle(pilot)
        main = main_of(pilot)
        assert main.filters.text == text
        assert [pane.program for pane in main.panes if pane.display] == ["execsnoop"]


async def test_what_the_kernel_cannot_check_is_refused_with_a_pointer_at_it() -> None:
    async with running() as pilot:
        await press(pilot, "c")
        await type_in(pilot, 'pid=1 and path~"/tmp"')
        lines = shown(pilot).splitlines()
        typed = next(i for i, line in enumerate(lines) if "capture only" in line)
        assert lines[typed + 1].index("▲") == lines[typed].index("path")
        assert "the kernel cannot check path" in lines[typed + 1]
        await press(pilot, "enter")
        assert pilot.app.screen.query_one(FilterBar).display
        assert feed_of(pilot).controls == []


async def test_programs_of_which_nothing_would_be_captured_are_named() -> None:
    async with running() as pilot:
        await press(pilot, "c")
        await type_in(pilot, "latency>5ms")
        assert "the kernel sends only these events; none of execsnoop, unlinksnoop" in shown(pilot)
        await press(pilot, "ctrl+u")
        await type_in(pilot, "pid!=1")
        assert "nothing of" not in shown(pilot)


async def test_a_filter_opened_anew_knows_no_candidates_of_the_last() -> None:
    async with running() as pilot:
        await press(pilot, "slash")
        await type_in(pilot, "comm=")
        await press(pilot, "tab", "enter", "escape", "slash")
        assert "Rows that match" in shown(pilot)
        await press(pilot, "tab")
        assert "=" not in pilot.app.screen.query_one(FilterBar).text


async def test_shift_tab_completes_backwards() -> None:
    async with running() as pilot:
        await press(pilot, "slash")
        await type_in(pilot, "comm=")
        await press(pilot, "tab")
        bar = pilot.app.screen.query_one(FilterBar)
        first = bar.text
        await press(pilot, "tab", "shift+tab")
        assert bar.text == first
        await press(pilot, "shift+tab")
        assert bar.text != first
        assert bar.display


async def test_a_click_on_a_table_leaves_the_filter_as_escape_does() -> None:
    async with running() as pilot:
        await press(pilot, "slash")
        await type_in(pilot, "pid=1000")
        await pilot.click(table(pilot, "execsnoop"), offset=(5, 3))
        await settle(pilot)
        assert not pilot.app.screen.query_one(FilterBar).display
        assert table(pilot).view.predicate is None
        assert pilot.app.focused is table(pilot, "execsnoop")
