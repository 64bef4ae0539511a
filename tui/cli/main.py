"""The command ``ringtop``."""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ringtop.bpf.common.errors import CANNOT_TRACE, CannotTrace, FilterError
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.cli import completing, service, versions
from ringtop.tui.cli.command import CannotLaunch
from ringtop.tui.cli.measuring import metrics
from ringtop.tui.cli.options import (
    LAUNCHED,
    STATUS,
    Permissions,
    check_option,
    duration_option,
    explicit,
    filter_option,
    flag,
    flags,
    format_option,
    host_option,
    launched,
    output_option,
    programs_argument,
    quiet_option,
    seconds,
    summary_option,
)
from ringtop.tui.cli.output import CannotWrite, lost, open_closed_files
from ringtop.tui.cli.replaying import replay
from ringtop.tui.cli.schedule import Change
from ringtop.tui.formats.formats import FORMATS
from ringtop.tui.settings.config import Config
from ringtop.tui.text.say import say
from ringtop.tui.text.text import safe, safe_lines

if TYPE_CHECKING:
    from ringtop.bpf.stream import Control


class _Commands(click.Group):
    """The commands. ``top`` is imported when it is asked for: what it can fold by takes long to import."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the words after the first `--`, which are a command to be launched, and parse the others."""
        if "--" in args:
            at = args.index("--")
            args, ctx.meta[LAUNCHED] = args[:at], tuple(args[at + 1 :])
            if not ctx.meta[LAUNCHED]:
                raise click.UsageError("after -- comes the command that is to be launched", ctx)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names."""
        return sorted([*super().list_commands(ctx), "top"])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; None where there is none."""
        if cmd_name != "top":
            return super().get_command(ctx, cmd_name)
        from ringtop.tui.cli.folding import top

        return top


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=STATUS,
    help="A top for what the kernel does too fast for top to see. Without a command, the viewer starts.\n\n"
    "With `-- COMMAND…` at the end, ringtop, trace, top and record launch that command when all hooks are in. They "
    "follow it alone, with all that it starts, and end with it. Signals reach it; in the viewer its output goes to a "
    "file.\n\n\b\n" + "\n".join(f"{schema.program:<12} {schema.about}" for schema in SCHEMAS.values()),
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=versions.show,
    help="Show the versions of ringtop, of the kernel and of the libraries, and exit.",
)
@click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="Config file to read.")
@flags(Config)
@flags(CollectorOptions)
@host_option
@click.pass_context
def ringtop(context: click.Context, /, config: Path | None, hosts: tuple[str, ...], **given: Any) -> int | None:
    """The viewer, where there is no command."""
    options = explicit(given)

    def configured() -> Config:
        from ringtop.tui.cli import start

        return start.configured(config, options)

    context.obj = configured  # called by the commands that need it
    if context.invoked_subcommand is None:
        from ringtop.tui.cli import start

        return start.live(configured(), launched(), hosts)
    if hosts:
        raise click.UsageError("--host belongs behind trace or top: ringtop trace --host HOST …")
    if launched() and context.invoked_subcommand not in ("trace", "top", "record"):
        raise click.UsageError(f"{context.invoked_subcommand} launches no command: leave out -- and what follows")
    return None


@ringtop.command(epilog=STATUS)
@programs_argument(required=False)
@flags(CollectorOptions, "programs", collector=True)
def collect(**given: Any) -> NoReturn:
    """Collect events: the only part of ringtop that needs root.

    It writes the stream of events to standard output and reads control messages from standard input. Other commands
    start it themselves, on another host by `ssh HOST ringtop collect`. A user who is not root gets it by sudo, if that
    asks for no password.
    """
    if os.isatty(1):
        raise click.UsageError("the stream is not for a terminal: use `ringtop trace`, or redirect it to a file")
    from ringtop.tui.source import elevate
    from ringtop.tui.source.client import ENVIRONMENT

    command = elevate.unattended()
    # exec replaces this process, so that the root process has none of the command line's modules.
    os.execve(command[0], [*command, *CollectorOptions(**explicit(given)).arguments()], ENVIRONMENT)  # noqa: S606


@ringtop.command(epilog=STATUS)
@programs_argument()
@flags(CollectorOptions, "programs")
@format_option(*FORMATS)
@output_option
@filter_option("which events are printed")
@click.option("--count", type=click.IntRange(1), metavar="NUMBER", help="Stop after so many rows.")
@duration_option
@click.option(
    "--after",
    nargs=2,
    type=(seconds(0), Change()),
    multiple=True,
    metavar="SECONDS CHANGE",
    help="After so many seconds, change transport=ringbuf|perfbuf|other, buffer=SIZE, wakeup=MODE or capture=EXPR. "
    "compare=SECONDS sends events over both transports and reports which is better. Repeatable.",
)
@summary_option
@check_option
@host_option
@flag(Config, "nice")
@quiet_option
def trace(
    style: str,
    output: str | None,
    display: str,
    count: int | None,
    duration: float | None,
    after: tuple[tuple[float, Control], ...],
    summary: str | None,
    check: bool,
    hosts: tuple[str, ...],
    quiet: bool,
    nice: int | None,
    **given: Any,
) -> int:
    """Print events as lines, for pipes and scripts, or write them to files of other formats.

    \b
      ringtop trace execsnoop -- make -j2     only what this command does
      ringtop trace runqslower execsnoop --format parquet --output make.parquet -- make
      ringtop trace execsnoop --host web1 --host web2

    \b
    Both filters use one language:
      comm=nginx and (latency>500us or ret!=0)
      full~"^/tmp/"         not pid=1        uid>=1000

    The kernel checks the capture filter, which takes only terms on latency, ran, pid, tid, ppid, uid, ret, status,
    cpu and comm, joined by `and`. The display filter takes every field, `or`, and regular expressions (~).
    """
    from ringtop.tui.cli.trace import TraceOptions, run

    collector = CollectorOptions(**explicit(given))
    shown = style, output, display, count
    return run(TraceOptions(collector, *shown, duration, after, summary, check, quiet, nice, launched(), hosts))


@ringtop.command(epilog=STATUS)
@click.argument("file", type=click.Path(path_type=Path))
@flags(CollectorOptions)
@duration_option
@click.option("--overwrite", is_flag=True, help="Replace FILE if it exists.")
@click.option(
    "--mode", type=Permissions(), default="0600", show_default=True, help="Permissions of FILE, in octal digits."
)
@flag(Config, "nice")
@quiet_option
def record(
    file: Path, duration: float | None, overwrite: bool, mode: int, quiet: bool, nice: int | None, **given: Any
) -> int:
    """Record all events to FILE, without a screen. `ringtop replay FILE` shows them.

    A FILE of - is standard output. If FILE is a folder, a new file in it is named after the host and the time. `ringtop
    service record` prints a unit of systemd that records as long as the machine runs.
    """
    from ringtop.tui.cli.record import run

    return run(file, CollectorOptions(**explicit(given)), duration, overwrite, mode, quiet, nice, launched())


ringtop.add_command(metrics)
ringtop.add_command(replay)


@ringtop.command(epilog=STATUS)
@click.pass_obj
def demo(config: Callable[[], Config]) -> int:
    """Show a recording that comes with ringtop. It needs neither root nor BPF."""
    from ringtop.tui.cli import start

    return start.demo(config())


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
    help="Measure the cost of starting instead, in so many rounds, next to libbpf-tools' execsnoop and the loader bcc.",
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


@ringtop.command(epilog=STATUS)
@click.argument("shell", type=click.Choice(completing.SHELLS))
def completion(shell: str) -> int:
    """Print the script that makes a shell complete ringtop's command lines.

    It knows programs, filters, themes, recordings, keys and all options.

    \b
      bash:  ringtop completion bash >~/.local/share/bash-completion/completions/ringtop
      zsh:   ringtop completion zsh >DIR/_ringtop       DIR: a folder of $fpath
      fish:  ringtop completion fish >~/.config/fish/completions/ringtop.fish
    """
    click.echo(completing.script(shell, ringtop))
    return 0


@ringtop.command(epilog=STATUS)
def manual() -> int:
    """Print the manual page, ringtop(1).

    \b
      ringtop manual | man -l -
      ringtop manual >/usr/local/share/man/man1/ringtop.1
    """
    from ringtop.tui.cli.manual import page

    click.echo(page(ringtop), nl=False)
    return 0


@ringtop.command("service", epilog=STATUS)
@click.argument("which", type=click.Choice(service.UNITS))
def print_service(which: str) -> int:
    """Print a unit of systemd that runs `ringtop record` or `ringtop metrics` without root, in a sandbox.

    Its first lines tell what it does. The Debian package installs both units, and enables neither.

    \b
      ringtop service record >/etc/systemd/system/ringtop-record.service
      systemctl enable --now ringtop-record
    """
    click.echo(service.unit(which), nl=False)
    return 0


def _refuse(e: click.ClickException) -> None:
    """Show the message of *e* with untrusted text made safe. Only a filter's caret may stand on a line of its own."""
    output = io.StringIO()
    e.show(output)
    shown = e.message if isinstance(e.__context__, FilterError) else safe(e.message)
    click.echo(safe_lines(output.getvalue().replace(e.message, shown)), err=True, nl=False)


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
    gc.freeze()  # everything is freed with the process: looking for garbage first takes up to 0.1 s
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
    except CannotLaunch as e:
        say(safe(str(e)))
        status = e.status
    except ModuleNotFoundError as e:
        say(f"{e.name} is missing: ringtop was removed or changed while it ran. Install it again")
        status = 1
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
