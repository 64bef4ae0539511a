"""What a shell may offer while a command line is being typed."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from ringtop import themes
from ringtop.tui.settings.config import themes_dir

SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_RINGTOP_COMPLETE"
"""By this variable, which click's scripts set, ringtop knows that it is asked for words."""


def script(shell: str, program: click.Command) -> str:
    """The script that makes *shell*, one of SHELLS, complete the command lines of *program*."""
    found = get_completion_class(shell)
    assert found is not None
    return found(program, {}, "ringtop", _VARIABLE).source()


def filters(typed: str) -> list[str]:
    """The filters that *typed* may become by one more word."""
    from ringtop.bpf.filter import complete  # takes long to import

    start, words = complete(typed, len(typed))
    return [typed[:start] + word for word in words]


def theme_names(context: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """The themes that come with ringtop, and the user's own."""
    folders = Path(themes.__file__).parent, themes_dir()
    names = sorted({file.stem for folder in folders for file in folder.glob("*.toml")})
    return [CompletionItem(name) for name in names if name.startswith(typed)]


def recordings(context: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """The recordings in a folder; all files where there are none."""
    folder = Path(typed if typed.endswith("/") else Path(typed).parent)
    found = sorted(str(file) for file in folder.glob("*.ringtop") if str(file).startswith(typed.removeprefix("./")))
    return [CompletionItem(name) for name in found] or [CompletionItem(typed, type="file")]
