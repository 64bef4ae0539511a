"""``ringtop replay --format``: prints the events of recordings as lines, in time order."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import click

from ringtop.bpf import stream
from ringtop.bpf.common import term
from ringtop.tui.cli.begin import give_way
from ringtop.tui.cli.ending import when_told
from ringtop.tui.cli.output import Output
from ringtop.tui.cli.printer import EVER, FEWER, Printed, Printer
from ringtop.tui.cli.summary_file import open_summary, write_summary
from ringtop.tui.lines import summary as ledger
from ringtop.tui.lines.lines import writer
from ringtop.tui.source.moment import moment_ns
from ringtop.tui.source.recording import Reading, read
from ringtop.tui.text.say import say
from ringtop.tui.text.text import safe

_AT_ONCE = 1000
"""Lines of several files that are written at once."""


@dataclass(frozen=True, slots=True)
class ReprintOptions:
    """The command line."""

    files: tuple[Path, ...]
    style: str
    display: str = ""
    count: int | None = None
    since: str | None = None
    until: str | None = None
    summary: str | None = None
    check: bool = False
    quiet: bool = False
    nice: int | None = None


class Recording:
    """One of the files: its events, and what it tells of them."""

    def __init__(self, path: Path) -> None:
        """Raises UsageError when it is no recording."""
        self.name = safe(str(path))
        try:
            self._reading: Reading = read(path)
        except OSError as e:
            raise click.UsageError(f"{self.name} cannot be read: {e.strerror}") from e
        except stream.StreamError as e:
            raise click.UsageError(f"{self.name} cannot be replayed: {e}") from e
        self._stopped = False
        self._messages = iter(self._reading)
        self._first = next(self._messages, None)
        self.programs = self._first.programs if isinstance(self._first, stream.Hello) else []
        self._offset_ns = 0
        self._states: dict[str, stream.State] = {}
        self._stats: stream.Stats | None = None
        self._changes: list[stream.Changed | stream.Compared] = []

    def rounds(self, printer: Printer, since: str | None, until: str | None) -> Iterator[list[Printed]]:
        """Its events from *since* to *until*, as ``moment_ns`` reads them, round by round; nothing behind *until* is
        read. Raises UsageError when the recording has no such time."""
        within = EVER if since is until is None else None
        if self._first is not None:
            self._take(self._first)
        for message in self._messages:
            self._take(message)
            if not isinstance(message, stream.Round):
                continue
            ended = message.drained_ns + self._offset_ns
            if within is None:
                within = self._within(since, until, ended)
            if ended < within[0]:
                continue
            yield printer.printed(message, self._offset_ns, within)
            if message.before_ns + self._offset_ns > within[1]:
                return

    def _within(self, since: str | None, until: str | None, begin_ns: int) -> tuple[int, int]:
        try:
            first = moment_ns(since, begin_ns) if since is not None else EVER[0]
            last = moment_ns(until, begin_ns) if until is not None else EVER[1]
        except ValueError as e:
            raise click.UsageError(f"{self.name}: {e}") from e
        if since is not None and until is not None and last < first:
            raise click.UsageError(f"{self.name}: --until {until} is before --since {since}")
        return first, last

    def _take(self, message: stream.AnyMessage) -> None:
        match message:
            case stream.Hello():
                self._offset_ns = message.wall_offset_ns
            case stream.State():
                self._states[message.program] = message
            case stream.Changed() | stream.Compared():
                self._changes.append(message)
            case stream.Stats():
                self._offset_ns, self._stats = message.wall_offset_ns, message

    def summary(self) -> dict[str, Any]:
        """The ledger as of the last message that was read."""
        return ledger.summarize(self._stats, self._states, self._changes) if self._stats is not None else {}

    def stop(self) -> None:
        """Read no further, even if a read waits at the moment."""
        self._stopped = True
        self._reading.stop()

    def close(self) -> str:
        """Close the file. Returns what is wrong with it, or ""."""
        self._reading.close()
        damage = None if self._stopped else self._reading.damage
        return f"{self.name}: {damage}" if damage is not None else ""


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _parts(files: list[Iterator[list[Printed]]]) -> Iterator[list[Printed]]:
    """The events of all *files* in time order, in parts that are written at once. A part of a single file is a round,
    so that what comes through a pipe is printed when it comes."""
    if len(files) == 1:
        yield from files[0]
        return
    events = merge(*map(chain.from_iterable, files), key=itemgetter(0))
    while part := list(islice(events, _AT_ONCE)):
        yield part


def run(options: ReprintOptions) -> int:
    """Print the events and return the exit status. Raises UsageError and CannotWrite."""
    out = Output(options.style)
    recordings = [Recording(file) for file in options.files]
    if options.summary is not None and any(_same(file, Path(options.summary)) for file in options.files):
        raise click.UsageError(f"--summary {safe(options.summary)} would replace the recording that is read")
    summary_file = open_summary(options.summary)
    give_way(options.nice)

    def stop() -> None:
        for one in recordings:
            one.stop()

    when_told(stop)
    programs = list(dict.fromkeys(program for one in recordings for program in one.programs))
    width = shutil.get_terminal_size().columns if out.screen else None
    printer = Printer(writer(options.style, programs, out.screen and term.colours(), width), options.display)
    out.put(printer.header())
    printed = 0
    for part in _parts([one.rounds(printer, options.since, options.until) for one in recordings]):
        lines = [line for _, line in part]
        if options.count is not None:
            del lines[options.count - printed :]
        out.put(lines)
        printed += len(lines)
        if printed == options.count:
            break
    damage = [text for one in recordings if (text := one.close())]
    for text in damage:
        say(text)
    summaries = {one.name: one.summary() for one in recordings}
    for summary in summaries.values():
        for line in ledger.lines(summary) if not options.quiet else []:
            say(line)
    if summary_file is not None:
        write_summary(summary_file, summaries if len(recordings) > 1 else next(iter(summaries.values())))
    if damage:
        return 1
    if options.check and not all(map(ledger.balanced, summaries.values())):
        return 4
    return FEWER if options.count is not None and printed < options.count else 0
