"""An option of the collector is the same option wherever it can be given: one value is accepted, or refused, alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from ringtop.bpf.options.collector import CollectorOptions
from ringtop.bpf.options.kinds import Flag
from ringtop.bpf.options.option import options
from ringtop.tui.cli.main import ringtop
from ringtop.tui.cli.options import explicit
from ringtop.tui.cli.schedule import control
from ringtop.tui.settings import config

OPTIONS = {
    name: one
    for name, one in options(CollectorOptions).items()
    if not one.only and name != "programs" and not isinstance(one.kind, Flag)
}
"""The options whose flag takes a text."""
GOOD = {
    "transport": ("auto", "ringbuf", "perfbuf"),
    "buffer": ("4K", "64 KiB", "1m", "1G", "1048576", "0.5M"),
    "wakeup": ("timer", "adaptive", "every", "batch:1", "batch:1000000", "batch:1048576"),
    "capture": ("", "pid=1", "comm=nginx and latency>5ms"),
    "merge_ms": ("0", "5", "1000"),
    "min_us": ("0", "500", "1000000000"),
    "emit": ("output", "output+query", "reserve", "reserve+query"),
    "loader": ("auto", "core", "bcc"),
}
BAD = {
    "transport": ("", "other", "Ringbuf"),
    "buffer": ("0", "3K", "2G", "1K", "many", "-4096", "1e6"),
    "wakeup": ("", "batch", "batch:0", "batch:1048577", "batch:10000000", "Timer", "timer:1"),
    "capture": ("pid=", "nope=1", 'argv~"x"', "pid=1 or uid=1"),
    "merge_ms": ("-1", "1001", "5.5", "soon"),
    "min_us": ("-1", "1000000001", "nan"),
    "emit": ("", "query"),
    "loader": ("", "libbpf"),
}
Given = Callable[[str, str], object]


def by_argv(name: str, text: str) -> object:
    """As the collector's process reads its command line."""
    return getattr(CollectorOptions.parse([f"{OPTIONS[name].flag}={text}"]), name)


def by_flag(command: click.Command, *words: str) -> Given:
    """As a flag of a command."""

    def given(name: str, text: str) -> object:
        context = command.make_context("ringtop", [OPTIONS[name].flag, text, *words])
        return explicit(context.params).get(name, OPTIONS[name].default)

    return given


def by_config(folder: Path, quoted: bool) -> Given:
    """As a key of the config file, as a text or, where it is one, as a number."""

    def given(name: str, text: str) -> object:
        file = folder / "config.toml"
        file.write_text(f"{name} = {json.dumps(text) if quoted or not text.isdecimal() else text}")
        return getattr(config.load(file).collector, name)

    return given


def by_override(name: str, text: str) -> object:
    """As a flag of the viewer goes before the config file."""
    return getattr(config.override(config.Config(), **{name: text}).collector, name)


def ways(folder: Path) -> dict[str, Given]:
    """All ways to give an option."""
    commands = ringtop.commands
    return {
        "argv": by_argv,
        "viewer": by_flag(ringtop),
        "collect": by_flag(commands["collect"]),
        "trace": by_flag(commands["trace"], "execsnoop"),
        "record": by_flag(commands["record"], "file"),
        "config text": by_config(folder, quoted=True),
        "config": by_config(folder, quoted=False),
        "flag before config": by_override,
    }


def test_all_options_are_tried() -> None:
    assert OPTIONS.keys() == GOOD.keys() == BAD.keys()


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in GOOD.items() for text in texts])
def test_what_is_possible_is_accepted_alike(tmp_path: Path, name: str, text: str) -> None:
    found = {way: given(name, text) for way, given in ways(tmp_path).items()}
    assert list(found.values()) == [found["argv"]] * len(found), found


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in BAD.items() for text in texts])
def test_what_is_not_possible_is_refused_alike(tmp_path: Path, name: str, text: str) -> None:
    for given in ways(tmp_path).values():
        with pytest.raises((ValueError, click.UsageError, config.ConfigError)):
            given(name, text)


CHANGED: dict[str, Callable[[Any], object]] = {
    "buffer": lambda control: control.buffer_bytes,
    "wakeup": lambda control: control.wakeup,
    "capture": lambda control: control.text,
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_change_accepts_and_refuses_what_the_option_does(name: str) -> None:
    for text in GOOD[name]:
        assert CHANGED[name](control(f"{name}={text}")) == by_argv(name, text)
    for text in BAD[name]:
        with pytest.raises(ValueError):
            control(f"{name}={text}")
