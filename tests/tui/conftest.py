"""Every test of the viewer sees the same terminal and the same user."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

from ringtop.tui.app import app
from ringtop.tui.top import order, ranking, top
from ringtop.tui.widgets import tables


@pytest.fixture(scope="session", autouse=True)
def rare_garbage_collection() -> None:
    """Every viewer leaves thousands of objects behind: looking at all of them again and again took half of the time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture(scope="session", autouse=True)
def style_sheets_parsed_once() -> Iterator[None]:
    """Each viewer parsed the same ones three times, which took a sixth of its start."""
    parse, parsed = Stylesheet._parse_rules, dict[tuple[object, ...], list[RuleSet]]()

    def look_up(self: Stylesheet, css: str, *rest: Any, **more: Any) -> list[RuleSet]:
        key = css, rest, *sorted(more.items()), *sorted(self._variables.items())
        if key not in parsed:
            parsed[key] = parse(self, css, *rest, **more)
        return parsed[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", look_up)
        yield


@pytest.fixture(autouse=True)
def first_shown(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests are about events unless their module says SHOWS = "both"; reports are always of now."""
    monkeypatch.setattr(tables, "USUAL", getattr(request.module, "SHOWS", "events"))
    if request.path.parent.name != "top":
        monkeypatch.setattr(ranking, "REPORT_S", 0)
        monkeypatch.setattr(order, "ROUND_S", 0)
        arrange = order.Order.arrange
        monkeypatch.setattr(order.Order, "arrange", lambda *given: arrange(*given[:5], exactly=True))
        monkeypatch.setattr(app, "Top", partial(top.Top, seed=bytes(16)))  # rows that tie stand in the same order


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """UTF-8, colours, no animations, whatever the machine has."""
    for name in ("LC_ALL", "LC_CTYPE", "NO_COLOR", "COLORTERM", "TEXTUAL_THEME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("TERM", "xterm-256color")
