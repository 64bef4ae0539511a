"""The README promises keys, commands and flags: they are the ones there are."""

from __future__ import annotations

import re
import shlex
from itertools import takewhile
from pathlib import Path

import click
from textual.app import App
from textual.binding import Binding

from ringtop.bpf import filter as language
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.filter.capture import KNOWN
from ringtop.tui.app.app import Viewer
from ringtop.tui.app.keymap import problems
from ringtop.tui.cli.main import ringtop
from ringtop.tui.cli.options import STATUS
from ringtop.tui.settings.config import load
from ringtop.tui.settings.themes import load_all
from ringtop.tui.settings.toml import source
from ringtop.tui.widgets.events import EventTable
from ringtop.tui.widgets.keys import NAMES
from ringtop.tui.widgets.main import Main
from ringtop.tui.widgets.ranked import RankedTable

README = (Path(__file__).parents[2] / "README.md").read_text()


def section(title: str) -> str:
    """The text under a heading."""
    return re.split(r"^#+ ", README.split(f"# {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def shown(binding: Binding) -> set[str]:
    """The keys of a binding as users read them."""
    app: App[None] = App()
    names = {b.key_display or app.get_key_display(b) for b in Binding.make_bindings([binding])}
    return {NAMES.get(name, name) for name in names}


def test_every_key_is_there_and_no_other() -> None:
    bindings = [
        b for cls in (Viewer, Main, EventTable, RankedTable) for b in cls.BINDINGS if isinstance(b, Binding) and b.id
    ]
    real = {key for b in bindings if b.id not in ("quit_always", "palette") for key in shown(b)}
    rows = re.findall(r"^\| (`.*?`) \| (.*) \|$", section("Keys"), re.MULTILINE)
    told = {key for keys, _ in rows for key in re.findall(r"`([^`]+)`", keys)}
    assert told == {key for key in real if not key.startswith("^")}


def test_every_command_line_parses() -> None:
    found = re.findall(r"^```(\w*)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    blocks = "\n".join(text for kind, text in found if not kind)
    lines = re.findall(r"^(?:\.venv/bin/)?ringtop (.+)$", blocks, re.MULTILINE)
    assert len(lines) >= 4
    for line in lines:
        words = list(takewhile(lambda word: word != "--", shlex.split(line.split("|")[0], comments=True)))
        command = ringtop.get_command(click.Context(ringtop), words[0])
        assert command is not None
        command.make_context(words[0], words[1:], resilient_parsing=False)


def test_the_example_of_a_config_and_of_a_theme_are_accepted(tmp_path: Path) -> None:
    config, theme = re.findall(r"^```toml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    (tmp_path / "config.toml").write_text(config)
    (tmp_path / "mine.toml").write_text(theme)
    given = load(tmp_path / "config.toml")
    assert given.theme == "mine"
    assert given.collector.capture == "uid>=1000"
    assert not list(problems(given.keys))
    themes, errors = load_all([source(tmp_path / "mine.toml")])
    assert not errors
    assert themes["mine"].primary == "#5fafff"


def test_every_filter_parses() -> None:
    for line in re.findall(r"^```\n(.*?)^```", section("Filters"), re.MULTILINE | re.DOTALL)[0].splitlines():
        language.parse(line)


def test_the_fields_of_the_capture_filter_are_those_that_the_kernel_checks() -> None:
    told = re.search(r"The kernel can check (.*?), joined by `and`", section("Filters"), re.DOTALL)
    helped = re.search(r"takes only terms on (.*?), joined by `and`", ringtop.commands["trace"].help or "", re.DOTALL)
    for text in (told, helped):
        assert text is not None
        assert set(re.findall(r"\w+", text[1])) - {"and"} == KNOWN


def test_the_exit_statuses_are_those_of_the_help() -> None:
    told = re.findall(r"^\| (\d.*?) \| (.*) \|$", section("Exit status"), re.MULTILINE)
    assert told == re.findall(r"^  (\d(?:\d\d \+ N)?)  (.*)$", STATUS.split("With --")[0], re.MULTILINE)
    assert len(told) == 8


def test_every_field_is_named() -> None:
    text = section("The programs")
    for schema in SCHEMAS.values():
        for field in schema.fields:
            assert f"`{field.name}`" in text, field.name


def test_every_theme_and_command_is_named() -> None:
    text = section("Recordings, themes, config")
    for theme in load_all()[0]:
        assert re.search(rf"\b{theme}\b", text), theme
    for command in ringtop.list_commands(click.Context(ringtop)):
        assert f"ringtop {command}" in README or command == "collect", command
