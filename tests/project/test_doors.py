"""bpf/README.md and tui/README.md are the doors: they name every room, and nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE = re.compile(r"`([\w/.-]+/[\w.-]*)`")


@pytest.mark.parametrize("side", ["bpf", "tui"])
def test_every_room_is_named(side: str) -> None:
    text = (ROOT / side / "README.md").read_text()
    rooms = {p.parent.name for p in (ROOT / side).glob("*/__init__.py")}
    assert {room for room in rooms if f"`{room}/`" not in text} == set()


@pytest.mark.parametrize("side", ["bpf", "tui"])
def test_every_file_that_is_named_is_there(side: str) -> None:
    names = FILE.findall((ROOT / side / "README.md").read_text())
    assert len(names) > 10
    assert [n for n in names if not (ROOT / side / n).exists() and not (ROOT / n).exists() and "NAME" not in n] == []
