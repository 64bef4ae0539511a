"""``ringtop trace``: prints events as lines, in time order, for pipes and scripts."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringtop.bpf.common import term
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.cli.begin import collector, launch
from ringtop.tui.cli.output import Output
from ringtop.tui.cli.summary_file import open_summary

if TYPE_CHECKING:
    from ringtop.bpf import stream


@dataclass(frozen=True, slots=True)
class TraceOptions:
    """The command line of ``trace``."""

    collector: CollectorOptions
    style: str = "table"
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


def run(options: TraceOptions) -> int:
    """Trace and return the exit status. Raises CannotTrace when the collector cannot trace."""
    command = launch(options.command)
    out = Output(options.style)
    summary_file = open_summary(options.summary)
    client = collector(options.collector, options.nice, command)

    from ringtop.tui.cli.printer import Printer  # while the collector starts
    from ringtop.tui.cli.printing import Trace
    from ringtop.tui.lines.lines import writer

    lines = writer(
        options.style,
        options.collector.programs,
        colour=out.screen and term.colours(),
        width=shutil.get_terminal_size().columns if out.screen else None,
    )
    return Trace(options, client, out, Printer(lines, options.display), summary_file, command).run(out.fileno())
