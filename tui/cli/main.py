"""The command ``ringtop``."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click

from ringtop.bpf.common.errors import CANNOT_TRACE, CannotTrace
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.filter import FilterError
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.bpf.options.kinds import DisplayFilter, Number
from ringtop.bpf.stream import Control
from ringtop.tui.cli.folding import HELP, By, Sort
from ringtop.tui.cli.options import Permissions, Value, flags, programs_argument, said
from ringtop.tui.cli.output import CannotWrite, lost, open_closed_files
from ringtop.tui.cli.schedule import Change
from ringtop.tui.settings.config import Config
from ringtop.tui.text.say import say
from ringtop.tui.text.text import safe, safe_lines
from ringtop.tui.top.report import START
from ringtop.tui.top.slots import WINDOWS

STATUS = """\b
Exit status:
  0  all is well
  1  it failed while it was running
  2  it was called wrongly
  3  it cannot trace here (it says why, and the cure)
  4  with --check: events were lost, or the ledger does not balance
  5  doctor: some of the programs can run here, and some cannot
  6  trace: fewer rows came than --count asked for
  128 + N  the viewer was ended by signal N; 129: its terminal went away
"""


_YEAR_S = 31_536_000


def _seconds(least: float) -> Value:
    return Value(Number(float, least, _YEAR_S, "SECONDS"))


_duration = click.option(
    "--duration", type=_seconds(0.001), metavar="SECONDS", help="Stop after so many seconds, at most a year."
)


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=STATUS,
    help="A top for what the kernel does too fast for top to see. Without a command, the viewer starts.\n\n\b\n"
    + "\n".join(f"{schema.program:<12} {schema.about}" for schema in SCHEMAS.values()),
)
@click.version_option(package_name="ringtop")
@click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="Config file to read.")
@flags(Config)
@flags(CollectorOptions)
@click.pass_context
def ringtop(context: click.Context, /, config: Path | None, **given: Any) -> int | None:
    """The viewer, where there is no command."""
    from ringtop.tui.cli import start

    context.obj = partial(start.configured, config, said(given))  # read by the commands that need it
    return start.live(context.obj()) if context.invoked_subcommand is None else None


@ringtop.command(epilog=STATUS)
@programs_argument(required=False)
@flags(CollectorOptions, "programs", collector=True)
def collect(**given: Any) -> NoReturn:
    """Collect events: the only part of ringtop that needs root.

    It writes the stream of events to standard output and reads control messages from standard input. Other commands
    start it themselves. Over ssh: `ssh HOST ringtop collect`.
    """
    if os.isatty(1):
        raise click.UsageError("the stream is not for a terminal: use `ringtop trace`, or redirect it to a file")
    from ringtop.tui.source.client import ENVIRONMENT, LOCAL

    # exec replaces this process, so that the root process has none of the command line's modules.
    os.execve(LOCAL[0], [*LOCAL, *CollectorOptions(**said(given)).arguments()], ENVIRONMENT)  # noqa: S606


@ringtop.command(epilog=STATUS)
@programs_argument()
@flags(CollectorOptions, "programs")
@click.option(
    "--format",
    "style",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="Output format.",
)
@click.option(
    "--filter",
    "display",
    type=Value(DisplayFilter()),
    metavar="EXPR",
    default="",
    help="Display filter: which events are printed.",
)
@click.option("--count", type=click.IntRange(1), metavar="NUMBER", help="Stop after so many rows.")
@_duration
@click.option(
    "--after",
    nargs=2,
    type=(_seconds(0), Change()),
    multiple=True,
    metavar="SECONDS CHANGE",
    help="After so many seconds, change transport=ringbuf|perfbuf|other, buffer=SIZE, wakeup=MODE or capture=EXPR. "
    "compare=SECONDS sends events over both transports and reports which is better. Repeatable.",
)
@click.option("--summary", metavar="FILE", help="At the end, write the ledger to FILE as JSON (-: to standard error).")
@click.option("--check", is_flag=True, help="Exit with status 4 if events were lost or the ledger does not balance.")
@click.option("-q", "--quiet", is_flag=True, help="Print only errors on standard error.")
def trace(
    style: str,
    display: str,
    count: int | None,
    duration: float | None,
    after: tuple[tuple[float, Control], ...],
    summary: str | None,
    check: bool,
    quiet: bool,
    **given: Any,
) -> int:
    """Print events as lines, for pipes and scripts.

    \b
    Both filters use one language:
      comm=nginx and (latency>500us or ret!=0)
      path~"/tmp/.*"        not pid=1        uid>=1000

    The kernel checks the capture filter, which takes only terms on latency, pid, tid, ppid, uid, ret, cpu and comm,
    joined by `and`. The display filter takes every field, `or`, and regular expressions (~).
    """
    from ringtop.tui.cli.trace import TraceOptions, run

    collector = CollectorOptions(**said(given))
    return run(TraceOptions(collector, style, display, count, duration, after, summary, check, quiet))


@ringtop.command(epilog=f"Keys for --by, from coarse to fine:\n\n{HELP}\n\n{STATUS}")
@programs_argument(required=False)
@flags(CollectorOptions, "programs")
@_duration
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
@click.option("--every", type=_seconds(0.1), metavar="SECONDS", help="Print a report this often, not only at the end.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="Output format.",
)
@click.option(
    "--filter",
    "display",
    type=Value(DisplayFilter()),
    metavar="EXPR",
    default="",
    help="Display filter: which events are counted.",
)
@click.option(
    "--replay",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Fold the events of a recording, by its own times. Options of the collector have no effect.",
)
@click.option("--check", is_flag=True, help="Exit with status 4 if events were lost or the ledger does not balance.")
@click.option("-q", "--quiet", is_flag=True, help="Print only errors on standard error.")
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
    quiet: bool,
    **given: Any,
) -> int:
    """Print events folded into ranked rows, without a screen.

    Every event is counted in the row of its key, or in `others` if its key has no row, so all rows together are the
    events received. Ctrl+C prints the report so far. If events were lost, counts are lower bounds.

    \b
      ringtop top execsnoop --by execsnoop=parent --sort failed
      ringtop top --every 2 --window 10s
      ringtop top --replay FILE --format json | jq '.programs[].verdict'
    """
    from ringtop.tui.cli.top import TopOptions, run

    collector = CollectorOptions(**said(given))
    return run(
        TopOptions(collector, dict(by), style, display, window, sort or "", rows, every, duration, replay, check, quiet)
    )


@ringtop.command(epilog=STATUS)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@flags(CollectorOptions)
@_duration
@click.option("--overwrite", is_flag=True, help="Replace FILE if it exists.")
@click.option(
    "--mode", type=Permissions(), default="0600", show_default=True, help="Permissions of FILE, in octal digits."
)
@click.option("-q", "--quiet", is_flag=True, help="Print only errors on standard error.")
def record(file: Path, duration: float | None, overwrite: bool, mode: int, quiet: bool, **given: Any) -> int:
    """Record all events to FILE, without a screen. `ringtop replay FILE` shows them. A FILE of - is standard output."""
    from ringtop.tui.cli.record import run

    return run(file, CollectorOptions(**said(given)), duration, overwrite, mode, quiet)


@ringtop.command(epilog=STATUS)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--speed",
    type=Value(Number(float, 0.25, 64)),
    metavar="FACTOR",
    default=1.0,
    show_default=True,
    help="Speed, as a factor.",
)
@click.pass_obj
def replay(config: Callable[[], Config], file: Path, speed: float) -> int:
    """Show the recording FILE in the viewer."""
    from ringtop.tui.cli import start

    return start.replay(file, config(), speed)


@ringtop.command(epilog=STATUS)
@click.pass_obj
def demo(config: Callable[[], Config]) -> int:
    """Show a recording that comes with ringtop. It needs neither root nor BPF."""
    from ringtop.tui.cli import start

    return start.replay(start.DEMO, config(), label="demo")


@ringtop.command(epilog=STATUS)
@click.option("--json", is_flag=True, help="Print JSON, for scripts.")
def doctor(json: bool) -> int:
    """Check what this machine offers. Each item is ok, or is shown with the reason and the exact cure.

    The programs are loaded to see which hooks this kernel takes, but they are not attached.
    """
    from ringtop.tui.cli.findings import run

    return run(json)


@ringtop.command(epilog=STATUS)
@click.option("--json", is_flag=True, help="Print one JSON object instead of tables.")
@click.option(
    "--events",
    type=click.IntRange(100, 10**9),
    metavar="NUMBER",
    default=1_000_000,
    show_default=True,
    help="Number of events in each row.",
)
@click.option(
    "--start",
    type=click.IntRange(1, 1000),
    is_flag=False,
    flag_value=7,
    metavar="[ROUNDS]",
    help="Measure the cost of starting instead, beside libbpf-tools' execsnoop and the loader bcc, in so many rounds.",
)
def bench(json: bool, events: int, start: int | None) -> int:
    """Measure the cost of reading events and of being traced.

    Events are read by ringtop and by bcc. One process makes system calls as fast as it can, and each way of reading
    their events takes its turn. This takes about 80 seconds. The figures are reliable only on a quiet machine. The
    exit status is 1 if an event is unaccounted for, which must never happen.
    """
    if start is not None:
        from ringtop.bpf.bench.start import run as run_start

        return run_start(json, start)
    from ringtop.bpf.bench import run

    return run(json, events)


def _refuse(e: click.ClickException) -> None:
    """Show the message of *e* with untrusted text made safe. Only a filter's caret may stand on a line of its own."""
    said = io.StringIO()
    e.show(said)
    shown = e.message if isinstance(e.__context__, FilterError) else safe(e.message)
    click.echo(safe_lines(said.getvalue().replace(e.message, shown)), err=True, nl=False)


def main() -> None:
    """Run the command line and exit; every kind of failure has its own exit status."""
    open_closed_files()
    try:
        status = _status()
    except CannotWrite as e:
        status = 0
        if not e.unread:
            say(str(e))
            status = 1
    sys.exit(status)


def _status() -> int:
    """Run the command line and return the exit status. Raises CannotWrite."""
    try:
        status: int = ringtop.main(standalone_mode=False)
    except click.ClickException as e:
        _refuse(e)
        status = e.exit_code
    except (click.Abort, KeyboardInterrupt):
        status = 130
    except CannotTrace as e:
        say(str(e))
        status = CANNOT_TRACE
    except OSError as e:
        if e.filename is None:
            raise lost(sys.stdout, e) from e
        say(f"{safe(str(e.filename))}: {e.strerror}")
        status = 1
    try:
        sys.stdout.flush()
    except OSError as e:
        raise lost(sys.stdout, e) from e
    return status
