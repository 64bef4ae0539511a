"""`ringtop service` prints units that run the ringtop which prints them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ringtop.tui.cli.service import UNITS, unit


@pytest.mark.parametrize("which", UNITS)
def test_it_runs_the_program_that_was_called(which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "ringtop"
    program.touch(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["./ringtop", "service", which])
    assert f"\nExecStart={program} {which}" in unit(which)
    assert "/usr/bin/ringtop" not in unit(which)


def test_it_runs_the_module_where_no_program_was_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [__file__, "service", "record"])
    assert f"\nExecStart={sys.executable} -m ringtop.tui record " in unit("record")
