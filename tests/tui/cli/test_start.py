"""What the viewer is given before root is given up, and what is said after it."""

from __future__ import annotations

import signal
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
from tests.terminal import Terminal
from tests.tui.feed import Feed

NOBODY = Account("nobody", 65534, 65534, "/", person=False)


LARGE = "{'msgspec', 'numpy', 're2', 'textual'} & sys.modules.keys()"
TRACE = f"""
import sys
from ringtop.tui.cli import main
from ringtop.tui.source.client import Client
Client.__init__ = lambda *given: sys.exit(print(*{LARGE}))
sys.argv = ["ringtop", "trace", "execsnoop"]
main.main()
"""


@pytest.mark.parametrize(
    "code",
    [
        TRACE,
        f"import sys, ringtop.tui.cli.main, ringtop.tui.cli.start; print(*{LARGE})",
        f"import sys, ringtop.bpf.__main__, ringtop.bpf.kernel.features; print(*{LARGE})",
    ],
    ids=["trace", "viewer", "collector"],
)
def test_no_large_library_is_imported_before_the_collector_starts(code: str) -> None:
    """Nor before libbpf reads the kernel's types: both take as long as the imports, at the same time."""
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "\n"


@pytest.mark.parametrize("ignored", [False, True])
def test_ctrl_c_before_all_is_imported_ends_it_without_a_traceback(ignored: bool) -> None:
    """Unless whoever started it had it ignored."""
    code = "import os, signal, ringtop.tui.__main__; os.kill(os.getpid(), signal.SIGINT); print('goes on')"
    shell = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh"] if ignored else []
    done = subprocess.run([*shell, sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == ((0, "goes on\n") if ignored else (-signal.SIGINT, ""))
    assert done.stderr == ""


LATER = {
    *(f"ringtop.tui.widgets.{name}" for name in ("ask", "chooser", "costs", "help", "loss_screen", "process_screen")),
    *("ringtop.tui.widgets.report", "ringtop.tui.widgets.theme_picker", "ringtop.tui.draw.costs"),
    *("ringtop.tui.process.card", "ringtop.tui.process.profile", "psutil"),
    *("ringtop.tui.source.replay", "ringtop.tui.source.recording", "ringtop.tui.source.elevate", "zstandard"),
    *("ringtop.bpf.collector", "ringtop.bpf.ledger", "ringtop.tui.cli.trace", "re2"),
}
"""What is imported when it is opened or asked for."""
FIRST_FRAME = """
import sys
from ringtop.tui.cli import main, start
from ringtop.tui.app.app import Viewer

class Source:
    label, live = "local", True

    def start(self, post):
        loaded.extend(sys.modules)
        viewer.exit()

    def send(self, control):
        pass

    def stop(self):
        pass

loaded = []
viewer = Viewer([Source()])
viewer.run(headless=True)
print(*loaded)
"""
"""A source is started after the first frame."""


def test_what_is_not_on_the_first_screen_is_not_imported_before_it() -> None:
    loaded = subprocess.check_output([sys.executable, "-c", FIRST_FRAME], text=True).split()
    assert "ringtop.tui.widgets.main" in loaded
    assert LATER.isdisjoint(loaded), LATER.intersection(loaded)


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
        assert start.view([Feed()], config.Config(keep_state=False, nice=0), NOBODY) == 0
    (source,) = hooks[0].themes
    assert source.raw == b"about = 'x'"


def test_standard_error_may_be_a_file(tmp_path: Path) -> None:
    line = f"exec {sys.executable} -m ringtop.tui --no-keep-state demo 2> {tmp_path / 'told'}"
    terminal = Terminal(["sh", "-c", line])
    try:
        assert terminal.shows("execsnoop")
        terminal.type("q")
        assert terminal.wait() == 0
    finally:
        terminal.close()
    assert terminal.left.strip() == ""
    assert (tmp_path / "told").read_text() == ""


def test_a_part_that_was_removed_meanwhile_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def gone(**options: Any) -> None:
        raise ModuleNotFoundError("No module named 'rich.x'", name="rich.x")

    monkeypatch.setattr(cli.ringtop, "main", gone)
    assert cli._status() == 1
    assert capsys.readouterr().err.splitlines() == [
        "ringtop: rich.x is missing: ringtop was removed or changed while it ran. Install it again"
    ]
