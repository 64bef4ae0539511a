"""The command line of ``ringtop top``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.cli.completing import recordings
from ringtop.tui.cli.options import (
    STATUS,
    check_option,
    duration_option,
    explicit,
    filter_option,
    flag,
    flags,
    format_option,
    host_option,
    launched,
    programs_argument,
    quiet_option,
    seconds,
)
from ringtop.tui.settings.config import Config
from ringtop.tui.top.columns import sorts
from ringtop.tui.top.keys import keys, named
from ringtop.tui.top.measures import ALL, measures
from ringtop.tui.top.report import START
from ringtop.tui.top.slots import WINDOWS

TABLES = (*SCHEMAS, ALL)
HELP = "\b\n" + "\n".join(f"{table + ':':<13}{', '.join(key.name for key in keys(table))}" for table in TABLES)
"""Help text that lists the keys of every table."""


class By(click.ParamType[tuple[str, str]]):
    """The option type ``PROGRAM=KEY``: the key that a program, or ``all``, is folded by."""

    name = "by"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """The program and the name of the key."""
        if isinstance(value, tuple):
            return value
        table, equals, key = str(value).partition("=")
        if not equals or table not in TABLES:
            self.fail(f"{value!r} is not PROGRAM=KEY; PROGRAM is one of {', '.join(TABLES)}", param, ctx)
        try:
            named(table, key)
        except ValueError as e:
            self.fail(str(e), param, ctx)
        return table, key

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The keys of all tables."""
        words = (f"{table}={key.name}" for table in TABLES for key in keys(table))
        return [CompletionItem(word) for word in words if word.startswith(incomplete)]


class Sort(click.ParamType[str]):
    """The option type of a column that can rank the rows of at least one table."""

    name = "sort"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name of the column."""
        known = list(dict.fromkeys(name for table in TABLES for name in sorts(measures(table, SCHEMAS))))
        if value not in known:
            self.fail(f"rows cannot be sorted by {value!r}; the columns are {', '.join(known)}", param, ctx)
        return str(value)


@click.command(epilog=f"Keys for --by:\n\n{HELP}\n\n{STATUS}")
@programs_argument(required=False)
@flags(CollectorOptions, "programs")
@duration_option
@click.option(
    "--by",
    type=By(),
    multiple=True,
    metavar="PROGRAM=KEY",
    help="Key that the events of a program are folded by. Repeatable.",
)
@click.option(
    "--rows", type=click.IntRange(0), metavar="NUMBER", default=20, show_default=True, help="Rows of a table, at most."
)
@click.option(
    "--sort", type=Sort(), metavar="COLUMN", help="Column that rows are ranked by, in the tables that have it."
)
@click.option(
    "--window",
    type=click.Choice([START, *WINDOWS]),
    default=START,
    show_default=True,
    help="Which events are counted: all since the start, or the newest.",
)
@click.option("--every", type=seconds(0.1), metavar="SECONDS", help="Print a report this often, not only at the end.")
@format_option()
@filter_option("which events are counted")
@click.option(
    "--replay",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    shell_complete=recordings,
    help="Fold the events of a recording, by its own times. Options of the collector have no effect.",
)
@check_option
@host_option
@flag(Config, "nice")
@quiet_option
def top(
    duration: float | None,
    by: tuple[tuple[str, str], ...],
    rows: int,
    sort: str | None,
    window: str,
    every: float | None,
    style: str,
    display: str,
    replay: Path | None,
    check: bool,
    hosts: tuple[str, ...],
    quiet: bool,
    nice: int | None,
    **given: Any,
) -> int:
    """Print events folded into ranked rows, without a screen.

    Every event is counted in the row of its key, or in `others` if its key has no row, so all rows together are the
    events received. Ctrl+C prints the report so far. If events were lost, counts are lower bounds.

    \b
      ringtop top execsnoop --by execsnoop=parent --sort failed
      ringtop top --every 2 --window 10s
      ringtop top execsnoop -- make -j2
      ringtop top --host web1 --host web2 --by execsnoop=host+program
      ringtop top --replay FILE --format json | jq '.programs[].verdict'
    """
    from ringtop.tui.cli.top import TopOptions, run

    collector = CollectorOptions(**explicit(given))
    shown = style, display, window, sort or "", rows, every
    return run(TopOptions(collector, dict(by), *shown, duration, replay, check, quiet, nice, launched(), hosts))
