"""Command-line options that several commands share, and their checks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ringtop.bpf import filter as language
from ringtop.bpf.common import sizes
from ringtop.bpf.common.options import WINDOW_MS
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.filter.capture import compile_capture
from ringtop.tui.text.say import pointed

PROGRAMS = tuple(SCHEMAS)
_F = TypeVar("_F", bound=Callable[..., Any])


class Size(click.ParamType[int]):
    """A buffer size; its value is bytes."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Bytes."""
        try:
            return value if isinstance(value, int) else sizes.parse_size(value)
        except ValueError as e:
            self.fail(str(e), param, ctx)


class Wakeup(click.ParamType[str]):
    """A wake-up mode; its value is the text."""

    name = "mode"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text, checked."""
        try:
            sizes.parse_wakeup(value)
        except ValueError as e:
            self.fail(str(e), param, ctx)
        return str(value)


class Expression(click.ParamType[str]):
    """An expression of the filter language; its value is the text."""

    name = "expr"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text, checked."""
        try:
            language.parse(value)
        except language.FilterError as e:
            self.fail(pointed(e), param, ctx)
        return str(value)


class Capture(Expression):
    """An expression that the kernel can check; its value is the text."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text, checked."""
        text = super().convert(value, param, ctx)
        try:
            for schema in SCHEMAS.values():
                compile_capture(language.parse(text), schema)
        except language.FilterError as e:
            self.fail(pointed(e), param, ctx)
        return text


_COLLECTOR = (
    click.option(
        "--transport",
        type=click.Choice(["auto", "ringbuf", "perfbuf"]),
        default="auto",
        show_default=True,
        help="How events leave the kernel. auto: the ring buffer where the kernel has it, else perf buffers.",
    ),
    click.option(
        "--buffer",
        type=Size(),
        default=0,
        help="Size of a program's ring buffer, or of each CPU's perf buffer: a power of two, 4K to 1G. "
        "[default: 1M, or 256K a CPU]",
    ),
    click.option(
        "--wakeup",
        type=Wakeup(),
        default="timer",
        show_default=True,
        help="When the kernel wakes the reader: timer (never, but for a buffer half full), adaptive, every, batch:N.",
    ),
    click.option("--capture", type=Capture(), default="", help="Capture filter: what the kernel sends."),
    click.option(
        "--merge-ms",
        type=click.IntRange(0, 1000),
        default=WINDOW_MS,
        show_default=True,
        help="Hold events so long to put them in time order over all CPUs. 0: order only what is read together.",
    ),
    click.option(
        "--min-us",
        type=click.IntRange(0, 10**9),
        show_default="10000, unless the capture filter speaks of latency",
        help="runqslower: shortest wait to report, in microseconds.",
    ),
    click.option(
        "--emit",
        type=click.Choice(sizes.EMITS),
        default="output",
        show_default=True,
        help="How events get into the ring buffer (not perf buffers): at their true length; or reserved, in sizes that "
        "are powers of two. +query: a full ring is not tried.",
    ),
)


def once(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """Each program once, however often it was named."""
    return tuple(dict.fromkeys(given))


def collector_options(function: _F) -> _F:
    """The options that every command with a collector has."""
    for option in reversed(_COLLECTOR):
        function = option(function)
    return function


_VIEWER = (
    click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="Config file to read."),
    click.option("--theme", help="Theme: the name of one of the package's, or of a file of your own."),
    click.option("--filter", type=Expression(), help="Display filter to start with: what the screen shows."),
    click.option("--capture", type=Capture(), help="Capture filter to start with: what the kernel sends."),
    click.option(
        "--program", "programs", type=click.Choice(PROGRAMS), callback=once, multiple=True, help="Only these."
    ),
    click.option("--transport", type=click.Choice(["auto", "ringbuf", "perfbuf"]), help="See `ringtop trace --help`."),
    click.option("--buffer", type=Size(), help="See `ringtop trace --help`."),
    click.option("--wakeup", type=Wakeup(), help="See `ringtop trace --help`."),
    click.option("--merge-ms", type=click.IntRange(0, 1000), help="See `ringtop trace --help`."),
    click.option("--min-us", type=click.IntRange(0, 10**9), help="runqslower: shortest wait to report."),
    click.option("--emit", type=click.Choice(sizes.EMITS), help="See `ringtop trace --help`."),
    click.option("--history", metavar="SIZE", help="Memory for the events kept, as in 64MiB."),
    click.option("--time", type=click.Choice(["clock", "relative", "uptime"]), help="How times are shown."),
    click.option("--fps", type=float, help="Most frames a second for data."),
    click.option("--recordings", metavar="FOLDER", help="Where R records to."),
    click.option("--mouse/--no-mouse", default=None, help="Listen to the mouse."),
    click.option("--ascii/--unicode", default=None, help="Bars, borders and sparklines."),
    click.option("--keep-state/--no-keep-state", default=None, help="Remember columns, theme and filters."),
)


def viewer_options(function: _F) -> _F:
    """A flag for every option of the config file, and --config."""
    for option in reversed(_VIEWER):
        function = option(function)
    return function


def collector_arguments(programs: tuple[str, ...], exclude: tuple[int, ...], **given: Any) -> list[str]:
    """The command line of a collector with these options."""
    arguments = list(programs)
    for name, value in given.items():
        if value not in ("", 0, None) or (value == 0 and name in ("min_us", "merge_ms")):
            arguments += [f"--{name.replace('_', '-')}", str(value)]
    for pid in exclude:
        arguments += ["--exclude", str(pid)]
    return arguments
