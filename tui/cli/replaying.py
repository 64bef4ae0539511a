"""The command ``replay``: the viewer on a recording, or the events of recordings as lines or in files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ringtop.bpf.options.kinds import Number
from ringtop.tui.cli.completing import recordings
from ringtop.tui.cli.options import (
    STATUS,
    Value,
    check_option,
    filter_option,
    flag,
    format_option,
    output_option,
    quiet_option,
    summary_option,
)
from ringtop.tui.formats.formats import FORMATS
from ringtop.tui.settings.config import Config
from ringtop.tui.source.moment import moment_ns
from ringtop.tui.text.text import safe


class Moment(click.ParamType[str]):
    """A time in a recording; the recording decides what it means."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text, if it can be a time."""
        try:
            moment_ns(value, 0)
        except ValueError as e:
            self.fail(str(e), param, ctx)
        return str(value)


@click.command(epilog=STATUS)
@click.argument(
    "files", type=click.Path(path_type=Path), metavar="FILE...", nargs=-1, required=True, shell_complete=recordings
)
@click.option(
    "--speed",
    type=Value(Number(float, 0.25, 64)),
    metavar="FACTOR",
    help="Speed of the viewer (usually 1).",
)
@format_option(*FORMATS, default=None, about="Print or write the events; for the options below.")
@output_option
@filter_option("which events are printed")
@click.option("--count", type=click.IntRange(1), metavar="NUMBER", help="Stop after so many rows.")
@click.option("--since", type=Moment(), metavar="TIME", help="Leave out earlier events.")
@click.option("--until", type=Moment(), metavar="TIME", help="Leave out later events.")
@summary_option
@check_option
@flag(Config, "nice")
@quiet_option
@click.pass_obj
def replay(config: Callable[[], Config], /, files: tuple[Path, ...], speed: float | None, **given: Any) -> int:
    """Show the recording FILE in the viewer, or print or write the events of one or several.

    With --format, events of several recordings are taken together in time order, and a FILE of - is standard input.

    \b
      ringtop replay incident.ringtop
      ringtop replay incident.ringtop --format json --filter 'ret<0' --since 14:03 --until 14:05:30
      ringtop replay incident.ringtop --format parquet --output incident.parquet
      ssh HOST ringtop record - | ringtop replay - --format csv

    A TIME is a time of the machine that replays, with or without a date, or a time after the beginning: 14:03:20,
    '2026-11-27 14:03:20', 90s.
    """
    from ringtop.tui.source.recording import STANDARD  # takes long to import, and other commands need not wait for it

    if given["style"] is not None:
        if speed is not None:
            raise click.UsageError("--speed is for the viewer; --format goes as fast as it can")
        if STANDARD in files and os.isatty(0):
            raise click.UsageError("a FILE of - is a recording on standard input, which is not a terminal")
        if twice := [file for file in files if files.count(file) > 1]:
            raise click.UsageError(f"{safe(str(twice[0]))} is given twice: each of its events would be, too")
        from ringtop.tui.cli.reprint import ReprintOptions, run

        return run(ReprintOptions(files, **given))
    for name, value in given.items():
        if value and name not in ("style", "nice"):
            raise click.UsageError(f"--{'filter' if name == 'display' else name} is not for the viewer: give --format")
    if len(files) > 1 or STANDARD in files:
        raise click.UsageError("the viewer shows one file: add --format to print several, or standard input")
    from ringtop.tui.cli import start

    return start.replay(files[0], config(), speed or 1.0)
