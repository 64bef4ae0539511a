"""What the viewer is given before root is given up, and what is said after it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from ringtop.tui.app import app
from ringtop.tui.cli import main as cli
from ringtop.tui.cli import start
from ringtop.tui.cli.account import Account
from ringtop.tui.settings import config
from tests.tui.feed import Feed

NOBODY = Account("nobody", 65534, 65534, "/")


@pytest.mark.parametrize(
    "modules",
    ["ringtop.tui.cli.main, ringtop.tui.cli.trace", "ringtop.bpf.__main__, ringtop.bpf.kernel.features"],
    ids=["command", "collector"],
)
def test_no_large_library_is_imported_before_the_collector_starts(modules: str) -> None:
    """Nor before libbpf reads the kernel's types: both take as long as the imports, at the same time."""
    code = f"import sys, {modules}; print(*{{'msgspec', 'numpy', 're2', 'textual'}} & sys.modules.keys())"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == ""


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> list[app.Hooks]:
    """What the viewer was given."""
    given: list[app.Hooks] = []

    def run(source: Any, config: Any, state: Any, hooks: app.Hooks) -> int:
        given.append(hooks)
        return 0

    monkeypatch.setattr(app, "run", run)
    return given


@pytest.mark.parametrize("asked", [True, False])
def test_themes_are_read_beside_the_config_while_that_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hooks: list[app.Hooks], asked: bool
) -> None:
    folder = tmp_path / "ringtop" / "themes"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text("about = 'x'")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no" if asked else tmp_path))

    def become(account: Account) -> None:
        monkeypatch.setenv("XDG_CONFIG_HOME", account.home)
        (folder / "mine.toml").unlink()

    monkeypatch.setattr(start, "become", become)
    flags = ["--config", str(tmp_path / "ringtop" / "my.toml")] if asked else []
    with click.Context(cli.ringtop) as context:
        cli.ringtop.parse_args(context, [*flags, "demo"])
        assert start.view(Feed(), config.Config(keep_state=False), NOBODY) == 0
    (source,) = hooks[0].themes
    assert source.raw == b"about = 'x'"
