"""Command-line options, derived from the option descriptions of the collector and the viewer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import click
from click.shell_completion import CompletionItem

from ringtop.bpf.common.errors import FilterError
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.bpf.options.kinds import CaptureFilter, Choice, DisplayFilter, Flag, Number, OptionKind
from ringtop.bpf.options.option import Option, options
from ringtop.tui.cli import completing
from ringtop.tui.formats.formats import FORMATS
from ringtop.tui.text.say import pointed

_F = TypeVar("_F", bound=Callable[..., Any])


class _Decorator(Protocol):
    def __call__(self, function: _F, /) -> _F: ...


class Value(click.ParamType[Any]):
    """The click type of a kind of option."""

    def __init__(self, kind: OptionKind) -> None:
        self.kind = kind
        self.name = kind.metavar

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value that the kind reads from the text."""
        try:
            return self.kind.read(value)
        except FilterError as e:
            self.fail(pointed(e), param, ctx)
        except ValueError as e:
            self.fail(str(e), param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The words that begin with *incomplete*."""
        if isinstance(self.kind, CaptureFilter | DisplayFilter):
            return [CompletionItem(words) for words in completing.filters(incomplete)]
        words = self.kind.words if isinstance(self.kind, Choice) else ()
        return [CompletionItem(word) for word in words if word.startswith(incomplete)]


class Permissions(click.ParamType[int]):
    """The permissions of a file, such as 0640: at most reading and writing, for each of owner, group and others."""

    name = "mode"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The permissions as a number."""
        if not re.fullmatch("0?6[0246]{2}", value):
            self.fail(
                f"{value!r} is not a mode such as 0600 or 0640: the owner must read and write, nobody may execute",
                param,
                ctx,
            )
        return int(value, 8)


def _once(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """The given values without repetitions, in order."""
    return tuple(dict.fromkeys(given))


def programs_argument(required: bool = True) -> _Decorator:
    """The argument that names programs."""
    kind = options(CollectorOptions)["programs"].kind
    return click.argument(
        "programs", nargs=-1, required=required, type=Value(kind), metavar=f"{kind.metavar}...", callback=_once
    )


def flags(cls: type, *without: str, collector: bool = False) -> _Decorator:
    """A flag for each option of *cls* except those named *without*. Options only for the collector are included if
    *collector* is set. The value of a flag that is not given is None, or () for a repeatable flag."""

    def decorate(function: _F, /) -> _F:
        for one in reversed(options(cls).values()):
            if one.name not in without and one.only in ("", "flag", *(["collector"] if collector else [])):
                function = _flag(one)(function)
        return function

    return decorate


def _flag(one: Option) -> _Decorator:
    if isinstance(one.kind, Flag):
        return click.option(f"{one.flag}/--{one.kind.no}", one.name, default=None, help=one.help)
    known = "; ".join(filter(None, (one.usual and f"default: {one.usual}", one.kind.limits)))
    return click.option(
        one.flag,
        one.name,
        type=Value(one.kind),
        metavar=one.kind.metavar,
        multiple=one.many,
        callback=_once if one.many else None,
        help=f"{one.help} [{known}]" if known else one.help,
        shell_complete=completing.theme_names if one.name == "theme" else None,
    )


def explicit(given: dict[str, Any]) -> dict[str, Any]:
    """The options of *given* that were given on the command line."""
    return {name: value for name, value in given.items() if value not in (None, ())}


LAUNCHED = "ringtop.launched"
"""The key in a context's ``meta`` under which the words after `--` are kept."""


def launched() -> tuple[str, ...]:
    """The command that is to be launched; empty when there is none. Raises click.UsageError."""
    context = click.get_current_context()
    words: tuple[str, ...] = context.meta.get(LAUNCHED, ())
    scopes = [f"--{name}" for name in ("follow", "unit", "container") if context.params.get(name)]
    if words and scopes:
        raise click.UsageError(f"either {scopes[0]}, or launch a command after --", context)
    if len(scopes) > 1:
        raise click.UsageError(f"only one of {', '.join(scopes)} can be followed", context)
    return words


STATUS = """\b
Exit status:
  0  all is well
  1  it failed while it was running
  2  it was called wrongly
  3  it cannot trace here, or lacks a library that a format needs (it says why, and the cure)
  4  with --check: events were lost, or the ledger does not balance
  5  doctor: some of the programs can run here, and some cannot
  6  trace, replay: fewer rows came than --count asked for
  128 + N  the viewer was ended by signal N; 129: its terminal went away
With -- COMMAND: the command's status if all else is well, or 128 + N if signal N ended it
  126  the command cannot be started
  127  there is no such command
"""

_YEAR_S = 31_536_000


def seconds(least: float) -> Value:
    """Return the type of a number of seconds, from *least* to a year."""
    return Value(Number(float, least, _YEAR_S, "SECONDS"))


def flag(cls: type, name: str) -> _Decorator:
    """The flag for the option *name* of *cls*. The value of a flag that is not given is None."""
    return _flag(options(cls)[name])


duration_option = click.option(
    "--duration", type=seconds(0.001), metavar="SECONDS", help="Stop after so many seconds, at most a year."
)
LINES = ("table", "json", "csv")


def format_option(*more: str, default: str | None = "table", about: str = "Output format.") -> _Decorator:
    """The option for the format, one of LINES or of *more*."""
    kind = click.Choice([*LINES, *more])
    return click.option("--format", "style", type=kind, default=default, show_default=True, help=about)


output_option = click.option(
    "--output",
    metavar="FILE",
    help=f"File to make, with --format {' or '.join(FORMATS)}; without it, standard output is written, if it is no "
    f"terminal. With {' or '.join(one.name for one in FORMATS.values() if one.each)}, each of several programs has a "
    "file of its own: for NAME.parquet, NAME.execsnoop.parquet.",
)


class Host(click.ParamType[str]):
    """The option type of a host's name, as ssh takes it."""

    name = "host"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name."""
        from ringtop.tui.source import ssh

        try:
            ssh.check(str(value))
        except ValueError as e:
            self.fail(str(e), param, ctx)
        return str(value)


host_option = click.option(
    "--host",
    "hosts",
    type=Host(),
    multiple=True,
    callback=_once,
    metavar="HOST",
    help="Read another host, through `ssh HOST ringtop collect`, instead of this machine. Repeatable.",
)
check_option = click.option(
    "--check", is_flag=True, help="Exit with status 4 if events were lost or the ledger does not balance."
)
summary_option = click.option(
    "--summary", metavar="FILE", help="At the end, write the ledger to FILE as JSON (-: to standard error)."
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print only errors on standard error.")


def filter_option(about: str) -> _Decorator:
    """The option for a display filter; *about* says what it does in this command."""
    kind = DisplayFilter()
    return click.option(
        "--filter", "display", type=Value(kind), metavar="EXPR", default="", help=f"Display filter: {about}."
    )
