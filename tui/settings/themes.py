"""Theme files: they turn TOML into a ``textual.theme.Theme`` and fill in ringtop's own variables.

A file has three tables: ``[colors]`` (the theme's base colours), ``[ringtop]`` (colours and styles of the
things that only ringtop shows) and ``[variables]`` (Textual's own, such as ``footer-key-foreground``). Only
``colors.primary`` is required. The file's name is the theme's. Files are untrusted: only colours and styles are
accepted.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from textual.app import App
from textual.color import Color, ColorParseError
from textual.theme import BUILTIN_THEMES, Theme

from ringtop import themes as shipped
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.settings import toml

DEFAULT = "dark"
SIXTEEN = "ansi"
"""The default where the terminal has 16 colours. Other themes' colours become the nearest of these, and orange becomes
the red that is for losses and failures alone."""
NO_COLOR = "mono"
"""The theme that NO_COLOR asks for."""

COLORS = (
    "primary", "secondary", "accent", "foreground", "background", "surface", "panel", "boost", "warning", "error",
    "success",
)  # fmt: skip
"""The keys of ``[colors]``."""

OWN: dict[str, str] = {
    "dim": "foreground",
    **{f"event-{schema.program}": schema.colour for schema in SCHEMAS.values()},
    "latency-low": "foreground",
    "latency-mid": "warning",
    "latency-high": "error",
    "failed": "error",
    "column-header": "primary",
    "column-header-style": "bold",
    "gap": "error",
    "gap-background": "background",
    "gap-style": "bold",
    "marker": "primary",
    "marker-background": "background",
    "marker-style": "italic",
    "drops-none": "foreground",
    "drops-some": "warning",
    "drops-moving": "error",
    "drops-moving-style": "bold reverse",
    "bar": "success",
    "bar-high": "warning",
    "bar-full": "error",
    "bar-peak": "foreground",
    "bar-empty": "panel",
    "sparkline": "primary",
    "state-running": "success",
    "state-busy": "warning",
    "state-failed": "error",
    "state-stopped": "foreground",
    "filter-match": "success",
    "filter-invalid": "error",
    "capture": "accent",
}
"""The keys of ``[ringtop]``, each with its default: a base colour, or for ``-style`` a style.

``dim`` is for less important text, ``event-*`` for a program's name and marks, ``latency-*`` for waits by their length,
``failed`` for rows with ret < 0, ``gap`` for rows of dropped events and ``marker`` for rows of a switch. ``drops-*`` is
for the drop counters: none dropped, some dropped, more being dropped. ``bar-*`` is for buffer fill, ``filter-*`` for
the filter box and ``capture`` for the mark of a capture filter in force.
"""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_STYLES = frozenset(("none", "bold", "b", "dim", "d", "italic", "i", "underline", "u", "reverse", "r", "strike", "not"))
_PERCENT = re.compile(r"(?P<color>\S.*?)(?: +(?:\d{1,2}|100)%)?")
_TOP = ("about", "dark", "ansi", "colors", "ringtop", "variables")


class ThemeError(toml.TomlError):
    """A theme file that cannot be used. The text names the file, the key and the line."""


def folder() -> Path:
    """Return the folder of the shipped themes and the style sheet."""
    return Path(shipped.__file__).parent


def load_all(
    own: Iterable[toml.Contents] = (), names: Collection[str] | None = None
) -> tuple[dict[str, Theme], list[ThemeError]]:
    """Return all themes by name, or those of *names*, and the errors of the refused ones.

    A user's *own* replace shipped ones by name."""
    themes: dict[str, Theme] = {}
    errors: list[ThemeError] = []
    for source in (*toml.sources(folder()), *own):
        if names is not None and source.file.stem not in names:
            continue
        try:
            themes[source.file.stem] = load(source)
        except ThemeError as e:
            errors.append(e)
    return themes, errors


def load(source: toml.Contents) -> Theme:
    """Return the theme in *source*. Raises ThemeError."""
    try:
        if not _NAME.fullmatch(source.file.stem):
            raise toml.TomlError(source.file, "a theme's file name must be a-z, 0-9 and '-', 32 characters at most")
        return theme(toml.parse(source))
    except toml.TomlError as e:
        raise ThemeError(e.file, e.text, e.key, e.line) from None


def select(app: App[Any], name: str, own: Iterable[toml.Contents] = ()) -> None:
    """Select *name* in *app* from ours and a user's *own*, or the default if there is no such theme. No other theme is
    needed for the first frame; ``install`` brings the rest."""
    themes, _ = load_all(own, {name, DEFAULT})
    theme = themes.get(name, themes[DEFAULT])
    app.register_theme(theme)
    app.theme = theme.name


def install(app: App[Any], own: Iterable[toml.Contents] = ()) -> list[ThemeError]:
    """Replace Textual's themes in *app* by ours and a user's *own*. Return the errors of the refused themes."""
    themes, errors = load_all(own)
    for each in themes.values():
        app.register_theme(each)
    for builtin in BUILTIN_THEMES:
        if builtin not in themes:
            app.unregister_theme(builtin)
    return errors


def abouts(names: Iterable[str], own: Iterable[toml.Contents] = ()) -> dict[str, str]:
    """Return each theme's description of itself, the default theme first; empty for themes without one."""
    sources = {source.file.stem: source for source in (*toml.sources(folder()), *own)}
    found: dict[str, str] = {}
    for name in sorted(names, key=lambda n: (n != DEFAULT, n)):
        try:
            text = toml.parse(sources[name]).data.get("about", "") if name in sources else ""
        except toml.TomlError:
            text = ""
        found[name] = text if isinstance(text, str) else ""
    return found


def no_color() -> bool:
    """Return whether NO_COLOR is set. As in Textual, an empty value counts."""
    return "NO_COLOR" in os.environ


@cache
def defaults() -> dict[str, str]:
    """Return the values for ``App.get_theme_variable_defaults``, so that the style sheet parses under any theme."""
    return _own(Theme("defaults", primary="#5fafff", secondary="#af87d7", accent="#ffaf5f"), {})


@cache
def textual_variables() -> frozenset[str]:
    """Return the names that ``[variables]`` may use: all variables that Textual derives from a theme."""
    names: set[str] = set()
    for ansi in (False, True):
        names |= set(Theme("x", primary="#000000", ansi=ansi).to_color_system().generate())
    return frozenset(names)


def theme(doc: toml.Document) -> Theme:
    """Return the theme that a document describes. Raises TomlError."""
    _known(doc, doc.data, _TOP)
    tables: dict[str, dict[str, str]] = {}
    for table, known in (("colors", COLORS), ("ringtop", OWN), ("variables", sorted(textual_variables()))):
        values = doc.data.get(table, {})
        if not isinstance(values, dict):
            raise doc.error(f"must be a table: [{table}]", table)
        _known(doc, values, known, table)
        tables[table] = {key: _value(doc, value, table, key) for key, value in values.items()}
    if "primary" not in tables["colors"]:
        raise doc.error("missing: the one colour a theme must have", "colors", "primary")
    if not isinstance(doc.data.get("about", ""), str):
        raise doc.error("must be text in quotes", "about")
    result = Theme(
        doc.file.stem,
        dark=_flag(doc, "dark", True),
        ansi=_flag(doc, "ansi", False),
        **tables["colors"],  # type: ignore[arg-type]  # only names of colours, checked above
    )
    result.variables = {
        **(_ansi(result) if result.ansi else {}),
        **tables["variables"],
        **_own(result, tables["ringtop"]),
    }
    return result


def _ansi(base_theme: Theme) -> dict[str, str]:
    """Return the variables that Textual leaves out of an ANSI theme though its style sheets use them, and those that it
    always makes transparent."""
    missing = textual_variables() - base_theme.to_color_system().generate().keys()
    grounds = {name: getattr(base_theme, name) or "ansi_default" for name in ("surface", "panel")}
    return {**dict.fromkeys(missing, "ansi_default"), **grounds}


def _own(base_theme: Theme, given: dict[str, str]) -> dict[str, str]:
    colors = base_theme.to_color_system().generate()
    return {
        name: given[name] if name in given else base if name.endswith("-style") else _solid(colors[base])
        for name, base in OWN.items()
    }


def _solid(color: str) -> str:
    return "ansi_default" if color == "transparent" else color  # Textual makes an ANSI theme's surfaces transparent


def _flag(doc: toml.Document, key: str, default: bool) -> bool:
    value = doc.data.get(key, default)
    if not isinstance(value, bool):
        raise doc.error("must be true or false", key)
    return value


def _known(doc: toml.Document, values: dict[str, Any], known: Any, *table: str) -> None:
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            cure = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(list(known)[:12])}"
            raise doc.error(f"no such key; {cure}", *table, key[:64])


def _value(doc: toml.Document, value: object, table: str, key: str) -> str:
    if not isinstance(value, str):
        raise doc.error(f"must be text in quotes, not {value!r:.40}", table, key)
    if "style" in key.split("-"):
        if not value.split() or not _STYLES.issuperset(value.split()):
            raise doc.error(f"{value[:64]!r} is not a text style; use {', '.join(sorted(_STYLES))}", table, key)
        return value
    match = _PERCENT.fullmatch(value)
    color = match["color"] if match else ""
    base = table == "colors"  # base colours are parsed without a percentage or a keyword
    if len(value) > 64 or not match or (base and color != value):
        raise doc.error(f"{value[:64]!r} is not a colour", table, key)
    if not base and color in ("auto", "transparent", "initial"):
        return value
    try:
        Color.parse(color)
    except (ColorParseError, ValueError):
        raise doc.error(f"{value[:64]!r} is not a colour; write '#rrggbb', a name or 'ansi_red'", table, key) from None
    return value
