"""The state file: written whole, private, and never worth a crash."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.tui.settings import state
from ringtop.tui.settings.config import Config
from ringtop.tui.settings.state import HISTORY, SavedState, load, remember, resume, save


def test_what_is_saved_is_found_again(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "state.json"
    kept = SavedState(theme="light", columns={"execsnoop": ["pid"]}, filters=["pid == 1"])
    assert save(kept, file) == ""
    assert load(file) == (kept, "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert list(file.parent.iterdir()) == [file]


def test_the_first_run_is_no_error(tmp_path: Path) -> None:
    assert load(tmp_path / "none" / "state.json") == (SavedState(), "")


@pytest.mark.parametrize("raw", [b"", b"{", b"[1]", b'{"theme": 3}', b"\xff", b"[" * 10_000, b"x" * (2 << 20)])
def test_damage_is_told_and_forgotten(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "state.json"
    file.write_bytes(raw)
    found, why = load(file)
    assert found == SavedState()
    assert why.startswith(str(file))


def test_fields_of_another_version_are_dropped(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text('{"theme": "nord", "of_tomorrow": [1]}')
    assert load(file) == (SavedState(theme="nord"), "")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "state.json"
    save(SavedState(theme="light"), file)

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert "No space left" in save(SavedState(theme="dark"), file)
    assert load(file)[0].theme == "light"
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_is_replaced_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    file = tmp_path / "state.json"
    file.symlink_to(victim)
    save(SavedState(theme="light"), file)
    assert victim.read_text() == "mine"
    assert not file.is_symlink()


def test_root_writes_nothing_into_another_users_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(state, "_roots", lambda path: False)
    assert tmp_path not in state.state_file().parents
    monkeypatch.setattr(state, "_roots", lambda path: True)
    assert state.state_file() == tmp_path / "ringtop" / "state.json"
    monkeypatch.setattr(state, "_roots", lambda path: False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert state.state_file() == tmp_path / "ringtop" / "state.json"


def test_columns_that_an_older_version_wrote_unchosen_hide_no_new_ones(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text('{"columns": {"unlinksnoop": ["time", "path"]}, "time": "uptime"}')
    state, why = load(file)
    assert (state.columns, state.time, why) == ({}, "uptime", "")


def test_a_way_of_showing_times_that_there_is_not_is_forgotten() -> None:
    assert resume(SavedState(time="x", theme="mine"), Config()).time == ""
    assert resume(SavedState(time="uptime"), Config()).time == "uptime"


def test_what_the_config_says_anew_goes_first() -> None:
    """A choice in the viewer lasts until the config, or a flag, says something else."""
    shows = {"execsnoop": "top"}
    chosen = SavedState(theme="nord", time="uptime", columns={"execsnoop": ["pid"]}, shows=shows, filters=["pid=1"])
    first = resume(chosen, Config())
    assert (first.theme, first.time, first.columns) == ("nord", "uptime", {"execsnoop": ["pid"]})
    assert first.shows == shows
    assert resume(first, Config()) == first
    later = resume(first, Config(theme="light", columns={"execsnoop": ["argv"]}))
    assert (later.theme, later.columns, later.filters) == ("", {}, ["pid=1"])
    flagged = resume(first, Config(), {"theme", "fps"})
    assert (flagged.theme, flagged.time) == ("", "uptime")


@given(st.lists(st.text(max_size=3), max_size=300))
def test_history_has_no_doubles_and_an_end(texts: list[str]) -> None:
    history: list[str] = []
    for text in texts:
        history = remember(history, text)
    used = [t for t in texts if t]
    assert len(history) == len(set(history)) <= HISTORY
    assert history[-1:] == used[-1:]


def test_an_account_without_a_home_keeps_nothing_and_is_told_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "none"))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert save(SavedState(theme="light")) == ""
    assert list(tmp_path.iterdir()) == []
