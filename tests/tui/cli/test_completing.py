"""Shells complete what ringtop knows, and the manual page has all that --help says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.cli.completing import SHELLS, script
from ringtop.tui.cli.main import ringtop
from ringtop.tui.cli.manual import page
from tests.terminal import Terminal
from tests.tools import tool


def offered(*words: str) -> list[str]:
    """What is offered for the last of *words*."""
    *before, last = words
    found = ShellComplete(ringtop, {}, "ringtop", "_RINGTOP_COMPLETE").get_completions(before, last)
    return [item.value for item in found if item.type == "plain"]


@pytest.mark.parametrize(
    ("words", "some"),
    [
        (("trace", ""), list(SCHEMAS)),
        (("trace", "execsnoop", "--transport", "r"), ["ringbuf"]),
        (("trace", "execsnoop", "--filter", "prev_"), ["prev_pid", "prev_tid", "prev_comm"]),
        (("trace", "execsnoop", "--filter", "comm=sh a"), ["comm=sh and"]),
        (("trace", "execsnoop", "--capture", "lat"), ["late", "latency"]),
        (("trace", "execsnoop", "--format", "p"), ["parquet", "perfetto"]),
        (("top", "--by", "unlinksnoop=comm+"), ["unlinksnoop=comm+dir", "unlinksnoop=comm+dir+name"]),
        (("--theme", "no"), ["nord"]),
        (("completion", ""), list(SHELLS)),
    ],
)
def test_words_that_ringtop_knows(words: tuple[str, ...], some: list[str]) -> None:
    assert offered(*words)[: len(some)] == some


def test_recordings_and_a_users_own_themes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b.ringtop", "a.ringtop", "c.txt"):
        (tmp_path / name).touch()
    (tmp_path / "ringtop/themes").mkdir(parents=True)
    (tmp_path / "ringtop/themes/northern.toml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert offered("replay", "") == ["a.ringtop", "b.ringtop"]
    assert offered("replay", f"{tmp_path}/b") == [f"{tmp_path}/b.ringtop"]
    assert offered("top", "--replay", "a") == ["a.ringtop"]
    assert offered("--theme", "nor") == ["nord", "northern"]


ASKED = {
    "bash": ("bash --noprofile --norc -i", "PS1='> '; source {script}"),
    "zsh": ("zsh -f -i", "PS1='> '; bindkey -e; autoload -U compinit; compinit -D; source {script}"),
    "fish": ("fish --no-config -i", "function fish_prompt; echo -n '> '; end; source {script}"),
}
"""How each shell is started, and made ready."""


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_what_is_typed(shell: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    (tmp_path / "incident.ringtop").touch()
    (tmp_path / "script").write_text(script(shell, ringtop))
    start, ready = ASKED[shell]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = [tool("env"), "-C", str(tmp_path), tool(start.split()[0]), *start.split()[1:]]
    terminal = Terminal(command, columns=120, PATH=path, HOME=str(tmp_path))
    request.addfinalizer(terminal.close)
    terminal.type(ready.format(script=tmp_path / "script") + "; echo ready-'4'2\r")
    assert terminal.shows("ready-42")
    for typed, whole in (
        ("trace exe", "trace execsnoop"),
        ("trace execsnoop --filter prev_t", "trace execsnoop --filter prev_tid"),
        ("--theme nor", "--theme nord"),
        ("replay inc", "replay incident.ringtop"),
    ):
        terminal.type(f"ringtop {typed}\t")
        assert terminal.shows(f"> ringtop {whole} "), terminal.screen
        terminal.type("\x15\x0c")  # an empty line, on an empty screen
        assert terminal.shows("> ", instead_of="ringtop"), terminal.screen


@pytest.mark.parametrize("shell", SHELLS)
def test_there_is_a_script_for_each_shell(shell: str) -> None:
    assert "_RINGTOP_COMPLETE" in script(shell, ringtop)


def test_the_manual_page_has_every_command_and_option() -> None:
    text = page(ringtop).replace("\\\n", "").replace("\\-", "-")
    context = click.Context(ringtop)
    for name in ringtop.list_commands(context):
        command = ringtop.get_command(context, name)
        assert command is not None
        assert f".SS {name}\n" in text
        for parameter in command.params:
            assert not isinstance(parameter, click.Option) or parameter.opts[0] in text


def test_mandoc_finds_nothing_wrong_with_the_manual_page() -> None:
    done = subprocess.run([tool("mandoc"), "-T", "lint"], input=page(ringtop), capture_output=True, text=True)
    assert done.stdout + done.stderr == ""
