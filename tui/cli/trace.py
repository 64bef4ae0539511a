"""``ringtop trace``: events in time order, as lines for pipes and scripts, or in files of other formats."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from ringtop.bpf.common import term
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.cli import output_files
from ringtop.tui.cli.begin import collector, launch, remote
from ringtop.tui.cli.options import LINES
from ringtop.tui.cli.output import Output
from ringtop.tui.cli.summary_file import open_summary

if TYPE_CHECKING:
    from ringtop.bpf import stream


@dataclass(frozen=True, slots=True)
class TraceOptions:
    """The command line of ``trace``."""

    collector: CollectorOptions
    style: str = "table"
    output: str | None = None
    display: str = ""
    count: int | None = None
    duration: float | None = None
    after: tuple[tuple[float, stream.Control], ...] = ()
    summary: str | None = None
    check: bool = False
    quiet: bool = False
    nice: int | None = None
    command: tuple[str, ...] = ()
    """The command that is launched and followed; empty where all of the host is traced."""
    hosts: tuple[str, ...] = ()
    """The hosts that are traced; empty for this machine."""


def run(options: TraceOptions) -> int:
    """Trace and return the exit status. Raises CannotTrace when the collector cannot trace."""
    if options.hosts:
        return _on_hosts(options)
    programs = options.collector.programs
    output_files.check(options.style, options.output, bool(options.command))
    command = launch(options.command)
    out = Output(options.style)
    summary_file = open_summary(options.summary)
    files = output_files.open_files(options.style, options.output, lambda: programs)
    client = collector(options.collector, options.nice, command)

    from ringtop.tui.cli.exporting import Export  # while the collector starts
    from ringtop.tui.cli.printer import Printer
    from ringtop.tui.cli.printing import Trace
    from ringtop.tui.lines.lines import writer

    sink = Export(options.style, files, programs) if files else Printer(out, writer(*_style(options, out)))
    return Trace(options, client, sink, summary_file, command).run(sink.reader())


def _style(options: TraceOptions, out: Output) -> tuple[str, tuple[str, ...], bool, int | None]:
    """How lines are written: format, programs, colour, width."""
    width = shutil.get_terminal_size().columns if out.screen else None
    return options.style, options.collector.programs, out.screen and term.colours(), width


def _on_hosts(options: TraceOptions) -> int:
    if options.command:
        raise click.UsageError("a command is launched on this machine: leave out --host, or -- and what follows")
    if options.style not in LINES:
        raise click.UsageError(f"--format {options.style} is for the events of one machine: leave out --host")
    out = Output(options.style)
    summary_file = open_summary(options.summary)
    sources = remote(options.hosts, options.collector, options.nice)

    from ringtop.tui.cli.hosts_trace import HostsTrace
    from ringtop.tui.cli.printer import Printer
    from ringtop.tui.lines.lines import writer

    sink = Printer(out, writer(*_style(options, out), hosts=True))
    return HostsTrace(options, sources, sink, summary_file).run(sink.reader())
