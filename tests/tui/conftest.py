"""Every test of the viewer sees the same terminal and the same user."""

from __future__ import annotations

import gc

import pytest


@pytest.fixture(scope="session", autouse=True)
def rare_garbage_collection() -> None:
    """Every viewer leaves thousands of objects behind: looking at all of them again and again took half of the time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """UTF-8, colours, no animations, whatever the machine has."""
    for name in ("LC_ALL", "LC_CTYPE", "NO_COLOR", "COLORTERM", "TEXTUAL_THEME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("TERM", "xterm-256color")
