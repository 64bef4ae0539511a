"""``ringtop top``: events folded into ranked rows, for scripts and for a look without a screen."""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import Protocol

import click

from ringtop.bpf import filter as language
from ringtop.bpf import stream
from ringtop.bpf.common import term
from ringtop.bpf.event.schema import usual
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.cli.account import give_up_root
from ringtop.tui.cli.begin import collector, give_way, launch, remote
from ringtop.tui.cli.command import Command
from ringtop.tui.cli.ending import when_told
from ringtop.tui.cli.opening import opening
from ringtop.tui.cli.output import Output
from ringtop.tui.cli.session import Session
from ringtop.tui.lines.summary import balanced
from ringtop.tui.lines.top_records import TopCsv, TopJson
from ringtop.tui.lines.top_table import TopTable
from ringtop.tui.process.lookup import LocalHost
from ringtop.tui.source.client import Client
from ringtop.tui.source.inbox import Entry
from ringtop.tui.source.recording import read, recorded
from ringtop.tui.text.say import say
from ringtop.tui.text.text import safe
from ringtop.tui.top.measures import ALL
from ringtop.tui.top.report import START, Report
from ringtop.tui.top.slots import SECOND
from ringtop.tui.top.top import Top


@dataclass(frozen=True, slots=True)
class TopOptions:
    """The command line of ``top``."""

    collector: CollectorOptions
    by: dict[str, str] = field(default_factory=dict)
    style: str = "table"
    display: str = ""
    window: str = START
    sort: str = ""
    rows: int = 20
    every: float | None = None
    duration: float | None = None
    replay: Path | None = None
    check: bool = False
    quiet: bool = False
    nice: int | None = None
    command: tuple[str, ...] = ()
    """The command that is launched and followed; empty where all of the host is traced."""
    hosts: tuple[str, ...] = ()
    """The hosts whose events are folded together; empty for this machine."""


class Writer(Protocol):
    """Writes reports in one format."""

    def header(self) -> list[str]:
        """Lines before the first report."""
        ...

    def lines(self, reports: list[Report], wall_offset_ns: int) -> list[str]:
        """Lines for the reports of one moment."""
        ...


class Run:
    """Folds a stream and prints reports, at intervals of the events' clock and at the end."""

    def __init__(self, options: TopOptions, top: Top, out: Output, writer: Writer) -> None:
        self.options, self.top = options, top
        self.out, self._writer = out, writer
        self._due_ns: int | None = None
        out.put(writer.header())

    def take(self, message: Entry | stream.AnyMessage, host: int = 0) -> None:
        """Process one message of the *host* with this number. Raises StreamError, CannotWrite."""
        self.top.hear(message, host)
        if self.options.every is None or not self.top.now_ns:
            return
        step = int(self.options.every * SECOND)
        if self._due_ns is None:
            self._due_ns = self.top.now_ns + step
        elif self.top.now_ns >= self._due_ns:
            self.report()
            self._due_ns += step * ((self.top.now_ns - self._due_ns) // step + 1)

    def report(self) -> list[Report]:
        """Print a report on every program, and on all if there are several."""
        options = self.options
        programs = [*self.top.programs, *([ALL] if len(self.top.programs) > 1 else [])]
        reports = [self.top.report(program, options.window, options.sort, options.rows) for program in programs]
        self.out.put(self._writer.lines(reports, self.top.wall_offset_ns))
        return reports


class Live(Session):
    """A run of ``top`` on a live collector."""

    def __init__(self, client: Client, options: TopOptions, run: Run, command: Command | None = None) -> None:
        super().__init__(client, options.collector.programs, options.duration, options.quiet, command)
        self._reports, self._check = run, options.check
        run.out.taken = self.patience.went_on

    def hear(self, message: stream.AnyMessage) -> None:
        """Process one message. Raises StreamError, CannotWrite."""
        self._reports.take(message)

    def begun(self) -> None:
        """Print which programs are folded, if any runs."""
        if running := [program for program, state in self.states.items() if state.state == "running"]:
            self.tell(f"folding {', '.join(running)}")

    def cut_short(self) -> str:
        """Print the reports on what was received, unless no program ever ran: that is not the same as quiet."""
        if any(state.state == "running" for state in self.states.values()):
            self._reports.report()
        return ""

    def finish(self, status: int) -> int:
        """Print the last reports and the ledger."""
        self._reports.report()
        return 4 if not balanced(self.summary()) and self._check else status


def _writer(style: str, screen: bool) -> Writer:
    match style:
        case "json":
            return TopJson()
        case "csv":
            return TopCsv()
    colour = screen and term.colours()
    return TopTable(colour, shutil.get_terminal_size().columns if screen else None)


def run(options: TopOptions) -> int:
    """Fold events and return the exit status.

    Raises CannotTrace when the collector cannot trace, and UsageError for a file that is not a recording.
    """
    out = Output(options.style)
    if options.replay is not None and options.command:
        raise click.UsageError("--replay shows what was recorded: leave out -- and what follows")
    if options.hosts:
        return _on_hosts(options, out)
    if options.replay is not None:
        return _replay(options, options.replay, out)
    command = launch(options.command)
    client = collector(options.collector, options.nice, command)
    run = Run(options, _top(options, LocalHost()), out, _writer(options.style, out.screen))
    return Live(client, options, run, command).run(out.fileno())


def _on_hosts(options: TopOptions, out: Output) -> int:
    if options.command:
        raise click.UsageError("a command is launched on this machine: leave out --host, or -- and what follows")
    if options.replay is not None:
        raise click.UsageError("--replay shows what was recorded: leave out --host")
    sources = remote(options.hosts, options.collector, options.nice)

    from ringtop.tui.cli.hosts_top import HostsTop

    run = Run(options, _top(options, None), out, _writer(options.style, out.screen))
    return HostsTop(options, sources, run).run(out.fileno())


def _top(options: TopOptions, host: LocalHost | None, seed: bytes | None = None) -> Top:
    return Top(options.collector.programs, options.by, language.parse(options.display), host, seed)


def _replay(options: TopOptions, file: Path, out: Output) -> int:
    with opening(file):
        reading = read(file)
    give_way(options.nice)
    give_up_root()
    stopping = threading.Event()
    when_told(stopping.set)
    messages = iter(reading)
    first = next(messages, None)  # a seed from the recording makes replays repeatable
    seed = blake2b(stream.encode(first) if first is not None else b"", digest_size=16).digest()
    if isinstance(first, stream.Hello) and options.collector.programs == usual():
        options = replace(options, collector=CollectorOptions(programs=recorded(first) or usual()))
    run = Run(options, _top(options, None, seed), out, _writer(options.style, out.screen))
    begin_ns = 0
    for message in chain([] if first is None else [first], messages):
        run.take(message)
        begin_ns = begin_ns or run.top.now_ns
        over = options.duration and run.top.now_ns - begin_ns >= options.duration * SECOND
        if over or stopping.is_set():
            break
    reports = run.report()
    reading.close()
    if reading.damage is not None:
        say(f"{safe(str(file))}: {reading.damage}")
        return 1
    return 4 if options.check and any(report.lost for report in reports) else 0
