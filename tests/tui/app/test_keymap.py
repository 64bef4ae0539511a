"""The keys of the config: what is wrong with them is told, and the others keep working."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringtop.tui.app import keymap
from ringtop.tui.settings import config
from ringtop.tui.widgets import keys
from tests.tui.viewing import press, running


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({}, []),
        ({"quit": "p"}, [("quit", "p is also a key of pivot, process_pivot:")]),
        ({"freeze": "z"}, [("freeze", "z is also a key of zero:")]),
        ({"filter": "question_mark"}, [("filter", "? is also a key of help:")]),
        (
            {"fold": "x", "window": "x"},
            [("fold", "x is also a key of window:"), ("window", "x is also a key of fold:")],
        ),
        ({"fold": "i", "window": "f"}, []),
        ({"quit": "q,ctrl+q", "freeze": "space"}, []),
        ({"theme_keep": "q"}, [("theme_keep", "q is also a key of theme_back:")]),
        ({"record": "alt+shift+f9,+,plus,ü"}, [("record", "+ is also a key of larger:")]),
        ({"quit": "strg+q"}, [("quit", "'strg+q' is no key;")]),
        ({"quit": "alt+q"}, [("quit", "'alt+q' is no key;")]),
        ({"quit": ""}, [("quit", "'' is no key;")]),
        ({"recrod": "f8"}, [("recrod", "no such command; did you mean 'record'?")]),
        ({"xxxx": "f8"}, [("xxxx", "no such command; the commands are ask_back, ")]),
    ],
)
def test_what_is_wrong_is_named(given: dict[str, str], wrong: list[tuple[str, str]]) -> None:
    found = list(keymap.problems(given))
    assert [name for name, _ in found] == [name for name, _ in wrong]
    for (_, text), (_, begin) in zip(found, wrong, strict=True):
        assert text.startswith(begin)


async def test_the_viewer_tells_of_it_with_the_line(tmp_path: Path) -> None:
    (file := tmp_path / "config.toml").write_text('[keys]\nrecord = "f9"\nrecrod = "f8"\nquit = "p"\n')
    async with running(config=config.load(file)) as pilot:
        told = [n.message for n in pilot.app._notifications]
        assert told[0].startswith(f"{file}:3: keys.recrod: no such command;")
        assert told[1].startswith(f"{file}:4: keys.quit: p is also a key of pivot, process_pivot:")
        assert "F9" in next(k.keys for k in keys.listing(pilot.app.screen) if k.id == "record").upper()


async def test_a_command_keeps_a_key_that_another_one_gave_away() -> None:
    async with running(config=config.Config(keys={"clear": "x"})) as pilot:
        await press(pilot, "1", "v", "v", "enter")
        assert "back" in {k.id for k in keys.listing(pilot.app.screen)}
        await press(pilot, "escape")
        assert "back" not in {k.id for k in keys.listing(pilot.app.screen)}
