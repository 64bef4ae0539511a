"""The config file: every mistake is named with its file, line, key and cure."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.options.collector import CollectorOptions
from ringtop.bpf.options.option import options
from ringtop.tui.settings import config
from ringtop.tui.settings.config import Config, ConfigError, load, override


def write(folder: Path, text: str) -> Path:
    file = folder / "config.toml"
    file.write_text(text)
    return file


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    assert load(write(tmp_path, "# nothing\n")) == Config()


def test_every_option_can_be_set(tmp_path: Path) -> None:
    text = """
        theme = "light"
        history = "128 MiB"
        time = "relative"
        filter = "ret < 0"
        capture = "uid == 0"
        fps = 10
        nice = 5
        histogram = false
        programs = ["execsnoop"]
        transport = "perfbuf"
        buffer = 65536
        wakeup = "batch:64"
        min_us = 500
        merge_ms = 20
        emit = "reserve"
        loader = "bcc"
        mouse = false
        ascii = true
        recordings = "/var/tmp"
        keep_state = false
        [columns]
        execsnoop = ["time", "pid", "argv"]
        [keys]
        quit = "q,ctrl+q"
    """
    found = load(write(tmp_path, text))
    plain = Config()
    same = [f.name for f in fields(Config) if getattr(found, f.name) == getattr(plain, f.name)]
    same += [
        f.name
        for f in fields(CollectorOptions)
        if not options(CollectorOptions)[f.name].only
        and getattr(found.collector, f.name) == getattr(plain.collector, f.name)
    ]
    assert same == []
    assert found.history == 128 << 20
    assert found.collector.buffer == 65536
    assert found.columns == {"execsnoop": ["time", "pid", "argv"]}
    assert found.keys == {"quit": "q,ctrl+q"}


WRONG = {
    "syntax": ("theme =\n", "", 1, "not valid TOML"),
    "typing error": ('\nthemes = "dark"', "themes", 2, "did you mean 'theme'?"),
    "a NUL": ('recordings = "a\\u0000b"', "recordings", 1, "has a NUL in it"),
    "unknown": ("zzz = 1", "zzz", 1, "the options are theme,"),
    "wrong type": ('\n\nfps = "many"', "fps", 3, "for example fps = 4.0"),
    "too much": ("fps = 100", "fps", 1, "60"),
    "size": ('history = "lots"', "history", 1, "write '64 MiB'"),
    "size of a strange type": ("history = 1.5", "history", 1, "write '64 MiB'"),
    "a flag as a size": ("buffer = true", "buffer", 1, "write '64 MiB'"),
    "wakeup": ('wakeup = "batch:0"', "wakeup", 1, 'for example wakeup = "timer"'),
    "program": ('programs = ["opensnoop"]', "programs", 1, "opensnoop"),
    "size of a buffer": ('buffer = "3K"', "buffer", 1, "power of two"),
    "filter": ('filter = "pid = = 3"', "filter", 1, "column 7 of the filter"),
    "capture filter": ('capture = "nope = 3"', "capture", 1, "nope"),
    "no programs": ("programs = []", "programs", 1, "at least one"),
    "program of columns": ('[columns]\nopensnoop = ["pid"]', "columns", 1, "opensnoop"),
    "column": (
        '[columns]\n# x\nexecsnoop = [\n "pid",\n "x"]',
        "columns.execsnoop",
        3,
        "the columns of execsnoop are time,",
    ),
    "key": ("[keys]\nquit = 1", "keys", 1, "is not a table of keys"),
    "escape": ('"\\u001b[2J" = 1', r"\x1b[2J", None, "no such option"),
}


@pytest.mark.parametrize(("text", "key", "line", "cure"), WRONG.values(), ids=WRONG)
def test_a_mistake_is_named(tmp_path: Path, text: str, key: str, line: int | None, cure: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(file)
    error = caught.value
    assert (error.file, error.key, error.line) == (file, key, line)
    assert cure in str(error)
    assert str(error).isprintable()
    assert str(error).startswith(f"{file}:{line}: " if line else f"{file}: ")


def test_a_file_that_was_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "none.toml")


def test_the_default_file_need_not_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert load() == Config()
    (tmp_path / "ringtop").mkdir()
    (tmp_path / "ringtop" / "config.toml").write_text("fps = 2")
    assert load().fps == 2
    assert config.themes_dir() == tmp_path / "ringtop" / "themes"
    assert config.themes_dir(tmp_path / "a.toml") == tmp_path / "themes"


def test_flags_go_before_the_file() -> None:
    base = Config(fps=2, theme="light")
    assert override(base, follow=(7,)).collector.follow == (7,), "which no config file can set"
    assert override(base, fps=8, theme=None, buffer="1 MiB") == replace(
        base, fps=8.0, collector=CollectorOptions(buffer=1 << 20)
    )
    for value in (-1, 10**9 + 1):
        with pytest.raises(ValueError, match=r"^--min-us: .* is not a whole number from 0 to 1000000000$"):
            override(base, min_us=value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1),
        (65536, 65536),
        ("64 MiB", 64 << 20),
        ("64m", 64 << 20),
        ("1.5KiB", 1536),
        (" 2 G ", 2 << 30),
        ("3B", 3),
    ],
)
def test_sizes(tmp_path: Path, text: str | int, expected: int) -> None:
    assert load(write(tmp_path, f"history = {text!r}")).history == expected


@given(st.text(max_size=40))
def test_any_text_is_a_config_or_one_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.mktemp("config") / "config.toml"
    file.write_text(text, newline="")
    try:
        load(file)
    except ConfigError as e:
        assert str(e).startswith(str(file))
