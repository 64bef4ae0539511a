"""Themes: they load, they can be read by everyone they are for, and a broken file does no harm."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.color import Color
from textual.theme import Theme

from ringtop.tui.settings import themes, toml
from ringtop.tui.settings.themes import ThemeError

THEMES, ERRORS = themes.load_all()
RGB = tuple[float, float, float]

# Severity 1.0 of Machado, Oliveira and Fernandes (2009), on linear RGB.
BLINDNESS: dict[str, tuple[RGB, RGB, RGB]] = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def linear(color: str) -> RGB:
    def channel(v: int) -> float:
        c = v / 255
        return c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4

    c = Color.parse(color)
    return channel(c.r), channel(c.g), channel(c.b)


def contrast(a: str, b: str) -> float:
    """WCAG 2: 1 (the same) to 21 (black on white)."""
    low, high = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (linear(a), linear(b)))
    return (high + 0.05) / (low + 0.05)


def oklab(rgb: RGB) -> RGB:
    r, g, b = (min(1.0, max(0.0, c)) for c in rgb)
    l = math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)  # noqa: E741
    m = math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    s = math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    return (
        0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
        1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
        0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s,
    )


def difference(a: str, b: str, matrix: tuple[RGB, RGB, RGB]) -> float:
    """Distance in OKLab as someone sees it whose eyes do what *matrix* says; 0.02 is about the least one can see."""

    def seen(color: str) -> RGB:
        rgb = linear(color)
        r, g, b = (sum(m * c for m, c in zip(row, rgb, strict=True)) for row in matrix)
        return oklab((r, g, b))

    return math.dist(seen(a), seen(b))


def colors(theme: Theme) -> dict[str, str]:
    return {**theme.to_color_system().generate(), **theme.variables}


def write(folder: Path, text: str, name: str = "mine") -> Path:
    file = folder / f"{name}.toml"
    file.write_text(text)
    return file


def test_all_that_are_promised_are_there() -> None:
    assert ERRORS == []
    assert set(THEMES) >= {"dark", "light", "high-contrast", "colour-blind", "solarized", "ansi", "mono"}
    assert themes.DEFAULT in THEMES
    assert themes.NO_COLOR in THEMES
    about = themes.abouts(THEMES)
    assert next(iter(about)) == themes.DEFAULT
    assert set(about) == set(THEMES)
    assert all(about.values())


@pytest.mark.parametrize("name", [n for n, t in THEMES.items() if not t.ansi])
def test_text_can_be_read(name: str) -> None:
    least = 7.0 if name == "high-contrast" else 4.5
    have = colors(THEMES[name])
    grounds = {"gap": ["gap-background"], "marker": ["marker-background"]}
    text = [k for k in themes.OWN if not k.endswith(("-style", "-background", "-empty"))]
    poor = [
        (key, ground, round(contrast(have[key], have[ground]), 2))
        for key in ["foreground", "footer-key-foreground", *text]
        for ground in grounds.get(key, ["background", "surface", "panel"])
        if contrast(have[key], have[ground]) < least
    ]
    assert poor == []
    assert contrast(have["block-cursor-foreground"], have["block-cursor-background"]) >= 4.5
    for tone in ("foreground", "dim", "failed", "latency-low", "latency-mid", "latency-high"):
        assert contrast(have[tone], have["block-cursor-blurred-background"]) >= 4.5, tone


@pytest.mark.parametrize("matrix", BLINDNESS.values(), ids=BLINDNESS)
@pytest.mark.parametrize(
    "group",
    [
        ("success", "warning", "error"),
        ("bar", "bar-high", "bar-full"),
        ("latency-low", "latency-mid", "latency-high"),
        ("event-runqslower", "event-execsnoop", "event-unlinksnoop"),
        ("drops-none", "drops-some", "drops-moving"),
        ("gap-background", "marker-background", "background"),
    ],
    ids="/".join,
)
def test_the_colour_blind_see_good_warning_and_bad_apart(group: tuple[str, ...], matrix: tuple[RGB, RGB, RGB]) -> None:
    have = colors(THEMES["colour-blind"])
    apart = {(a, b): difference(have[a], have[b], matrix) for a in group for b in group if a < b}
    assert min(apart.values()) > 0.08, apart


@pytest.mark.parametrize("name", ["ansi", "mono"])
def test_terminal_colours_only(name: str) -> None:
    """Nothing of ours is sent as RGB; mono sends no colour at all."""
    theme = THEMES[name]
    values = [v for k, v in theme.variables.items() if "style" not in k]
    assert theme.ansi
    assert all(v.startswith("ansi_") for v in values)
    if name == "mono":
        assert set(values) == {"ansi_default"}


def test_mono_tells_by_style_what_others_tell_by_colour() -> None:
    have = THEMES["mono"].variables
    assert len({have["gap-style"], have["marker-style"], "none"}) == 3
    assert "reverse" in have["drops-moving-style"]


def test_every_theme_and_the_fallback_define_every_variable() -> None:
    assert set(themes.defaults()) == set(themes.OWN)
    for theme in THEMES.values():
        assert set(themes.OWN) <= set(theme.variables)


def test_one_colour_is_enough(tmp_path: Path) -> None:
    theme = themes.load(toml.source(write(tmp_path, '[colors]\nprimary = "teal"')))
    assert theme.name == "mine"
    assert theme.variables["sparkline"] == "#008080"


def test_a_users_theme_replaces_ours(tmp_path: Path) -> None:
    write(tmp_path, '[colors]\nprimary = "#123456"', "dark")
    found, errors = themes.load_all(toml.sources(tmp_path))
    assert found["dark"].primary == "#123456"
    assert errors == []


def test_a_folder_that_is_missing_or_closed_is_no_error(tmp_path: Path) -> None:
    assert themes.load_all(toml.sources(tmp_path / "none")) == (THEMES, [])


BROKEN = {
    "syntax": ('[colors]\nprimary = "#12', "", 2),
    "no primary": ("[colors]\n", "colors.primary", 1),
    "nothing": ("", "colors.primary", None),
    "unknown table": ('[colors]\nprimary="red"\n[colours]\n', "colours", 3),
    "unknown colour key": ('[colors]\nprimary="red"\nprimery="red"', "colors.primery", 3),
    "unknown own key": ('[colors]\nprimary="red"\n\n[ringtop]\ngaps="red"', "ringtop.gaps", 5),
    "unknown variable": ('[colors]\nprimary="red"\n[variables]\nfoo="red"', "variables.foo", 4),
    "not a colour": ('[colors]\nprimary="red"\n# x\nerror="reddish"', "colors.error", 4),
    "a number": ("[colors]\nprimary=7", "colors.primary", 2),
    "a table for a colour": ('[colors]\n[colors.primary]\nx="red"', "colors.primary", 2),
    "not a table": ('colors="red"', "colors", 1),
    "not a flag": ('dark="yes"\n[colors]\nprimary="red"', "dark", 1),
    "not a style": ('[colors]\nprimary="red"\n[ringtop]\ngap-style="blink"', "ringtop.gap-style", 4),
    "style sheet in a colour": ('[colors]\nprimary="red; } * { display: none; "', "colors.primary", 2),
     "style sheet in a variable": ('[colors]\nprimary="red"\n[variables]\nborder="red;}*{}"', "variables.border", 4),
    "reference": ('[colors]\nprimary="red"\n[ringtop]\ngap="$error"', "ringtop.gap", 4),
    "percentage in a base colour": ('[colors]\nprimary="red 50%"', "colors.primary", 2),
    "a newline": ('[colors]\nprimary="red\\n"', "colors.primary", 2),
    "an escape": ('[colors]\nprimary="red"\n"\\u001b]0;x"="red"', r"colors.\x1b]0;x", 1),
}  # fmt: skip


@pytest.mark.parametrize(("text", "key", "line"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_names_file_key_and_line(tmp_path: Path, text: str, key: str, line: int | None) -> None:
    file = write(tmp_path, text)
    found, (error,) = themes.load_all(toml.sources(tmp_path))
    assert (error.file, error.key, error.line) == (file, key, line)
    assert str(error).startswith(f"{file}:{line}: {key}" if line else f"{file}: {key}")
    assert str(error).isprintable()
    assert found == THEMES


def test_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "dir.toml").mkdir()
    os.mkfifo(tmp_path / "fifo.toml")
    (tmp_path / "long.toml").write_text("#" * (300 << 10))
    (tmp_path / "latin.toml").write_bytes(b'[colors]\nprimary="\xe9"')
    (tmp_path / "Bad name.toml").write_text('[colors]\nprimary="red"')
    (tmp_path / "gone.toml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "deep.toml").write_text("a=" + "[" * 60_000)
    errors = {e.file.name: str(e) for e in themes.load_all(toml.sources(tmp_path))[1]}
    assert "regular" in errors.pop("dir.toml")
    assert "regular" in errors.pop("fifo.toml")
    assert "too long" in errors.pop("long.toml")
    assert "latin.toml:2: not UTF-8" in errors.pop("latin.toml")
    assert "file name" in errors.pop("Bad name.toml")
    assert "No such file" in errors.pop("gone.toml")
    assert "TOML" in errors.pop("deep.toml")
    assert errors == {}


@given(st.text(max_size=30), st.sampled_from(["colors", "ringtop", "variables", "x"]), st.text(max_size=20))
def test_no_text_gets_further_than_the_loader(key: str, table: str, value: str) -> None:
    """Whatever a file says, the result is a theme of harmless values or one ThemeError."""
    doc = themes.toml.Document(Path("x.toml"), {"colors": {"primary": "red"}}, {})
    doc.data.setdefault(table, {})[key] = value
    try:
        theme = themes.theme(doc)
    except themes.toml.TomlError:
        return
    for text in theme.variables.values():
        assert not set(text) & set(";{}$\n:")
    theme.to_color_system().generate()


def test_errors_are_exceptions_of_their_own() -> None:
    assert issubclass(ThemeError, themes.toml.TomlError)
