"""Choosing a theme."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest
from rich.segment import Segment
from textual.widgets import OptionList

from ringtop.tui.app.app import Viewer
from ringtop.tui.app.hooks import Hooks
from ringtop.tui.process.card import Card
from ringtop.tui.settings import themes, toml
from ringtop.tui.settings.config import Config
from ringtop.tui.settings.state import SavedState
from ringtop.tui.widgets.theme_picker import ThemePicker
from tests.tui.feed import Feed
from tests.tui.viewing import FixedHost, play, press, running, settle, shown, type_in

NAMES = list(themes.abouts(themes.load_all()[0]))


async def test_moving_tries_on_and_escape_goes_back() -> None:
    async with running(state=SavedState(theme="light")) as pilot:
        await press(pilot, "T")
        assert isinstance(pilot.app.screen, ThemePicker)
        assert pilot.app.theme == "light"
        await press(pilot, "down")
        assert pilot.app.theme == NAMES[NAMES.index("light") + 1]
        await press(pilot, "k", "up")
        assert pilot.app.theme == NAMES[NAMES.index("light") - 1]
        await press(pilot, "escape")
        assert pilot.app.theme == "light"
        assert not isinstance(pilot.app.screen, ThemePicker)


async def test_all_ways_back() -> None:
    async with running() as pilot:
        for key in ("escape", "q", "T"):
            await press(pilot, "T", "down")
            assert pilot.app.theme != themes.DEFAULT
            await press(pilot, key)
            assert pilot.app.theme == themes.DEFAULT
            assert pilot.app.state.theme == ""  # type: ignore[attr-defined]


async def test_leaving_in_haste_goes_back_too() -> None:
    async with running() as pilot:
        await press(pilot, "T")
        await type_in(pilot, "jjjjT")
        assert not isinstance(pilot.app.screen, ThemePicker)
        assert pilot.app.theme == themes.DEFAULT


async def test_enter_keeps_it_for_the_next_time() -> None:
    state = SavedState()
    async with running(state=state) as pilot:
        await press(pilot, "T", "down", "enter")
        assert pilot.app.theme == NAMES[1]
    assert state.theme == NAMES[1]
    async with running(state=state) as pilot:
        assert pilot.app.theme == NAMES[1]


async def test_a_click_keeps_it() -> None:
    state = SavedState()
    async with running(state=state) as pilot:
        await press(pilot, "T")
        await pilot.click(OptionList, offset=(2, 3))
        await settle(pilot)
        assert not isinstance(pilot.app.screen, ThemePicker)
    assert state.theme == NAMES[3]


@pytest.mark.parametrize("size", [(60, 15), (120, 40)])
async def test_what_lies_behind_can_be_seen(size: tuple[int, int]) -> None:
    async with running(size=size) as pilot:
        before = shown(pilot).splitlines()
        await press(pilot, "T")
        after = shown(pilot).splitlines()
        assert any(name in "\n".join(after) for name in NAMES)
        assert [line[:20] for line in after[:-1]] == [line[:20] for line in before[:-1]]


@pytest.mark.slow
async def test_every_theme_can_be_worn() -> None:
    async with running() as pilot:
        for name in NAMES:
            pilot.app.theme = name
            await press(pilot, "T", "escape", "question_mark", "escape")
            assert pilot.app.theme == name
            assert "runqslower" in shown(pilot)


async def test_only_ours_are_offered_and_a_users_own(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('about = "Of my own"\n[colors]\nprimary = "teal"')
    (tmp_path / "bad.toml").write_text('[colors]\nprimary = "tael"')
    app = Viewer([Feed()], Config(theme="mine"), hooks=Hooks(themes=toml.sources(tmp_path)))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert app.theme == "mine"
        assert set(app.available_themes) == {*NAMES, "mine"}
        assert "bad.toml:2: colors.primary" in " ".join(n.message for n in app._notifications)
        await press(pilot, "T")
        assert "Of my own" in shown(pilot)
        assert "bad.toml" in shown(pilot)


async def test_a_theme_that_is_not_there_is_the_default() -> None:
    async with running(config=Config(theme="nowhere")) as pilot:
        assert pilot.app.theme == themes.DEFAULT
        assert f"there is no theme 'nowhere'; the themes are {', '.join(sorted(NAMES))}" in " ".join(
            n.message for n in pilot.app._notifications
        )


async def test_no_color_begins_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with running(state=SavedState(theme="light")) as pilot:
        assert pilot.app.theme == themes.NO_COLOR
        await press(pilot, "T")
        assert "NO_COLOR" in shown(pilot)


async def test_opening_it_changes_nothing() -> None:
    async with running(state=SavedState(theme="mono")) as pilot:
        seen: list[str] = []
        pilot.app.theme_changed_signal.subscribe(pilot.app.screen, lambda theme: seen.append(theme.name))
        await press(pilot, "T", "enter")
        assert seen == []
        assert pilot.app.theme == "mono"


async def test_a_theme_chosen_while_it_runs_looks_as_at_the_start(tmp_path: Path) -> None:
    """Nothing keeps a colour of the theme before, though only colours of parts differ."""
    dark = (themes.folder() / "dark.toml").read_text()
    (tmp_path / "mine.toml").write_text(dark.replace('dim = "#8f9bad"', 'dim = "#ad8f8f"'))

    async def picture(start: str) -> list[list[Segment]]:
        hooks = Hooks(Card, FixedHost(), monotonic_ns=lambda: 0, zone=UTC, themes=toml.sources(tmp_path))
        app = Viewer([Feed()], Config(theme=start), hooks=hooks)
        async with app.run_test(size=(120, 40)) as pilot:
            await play(pilot)
            app.theme = "mine"
            await settle(pilot)
            return [list(strip.simplify()) for strip in app.screen._compositor.render_strips()]

    assert await picture("dark") == await picture("mine")
