"""``ringtop replay --format``: the events of recordings in time order, as lines or in files of other formats."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from ringtop.bpf import stream
from ringtop.bpf.common import term
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.cli import output_files
from ringtop.tui.cli.account import as_who_asked, give_up_root
from ringtop.tui.cli.begin import give_way
from ringtop.tui.cli.ending import when_told
from ringtop.tui.cli.exporting import Export
from ringtop.tui.cli.opening import opening
from ringtop.tui.cli.output import Output
from ringtop.tui.cli.printer import EVER, FEWER, Choice, Printer, Sink
from ringtop.tui.cli.summary_file import open_summary, write_summary
from ringtop.tui.lines import summary as ledger
from ringtop.tui.lines.lines import writer
from ringtop.tui.lines.part import Part, Told, earlier
from ringtop.tui.source.moment import moment_ns
from ringtop.tui.source.recording import Reading, read
from ringtop.tui.text.say import say
from ringtop.tui.text.text import safe


@dataclass(frozen=True, slots=True)
class ReprintOptions:
    """The command line."""

    files: tuple[Path, ...]
    style: str
    output: str | None = None
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

    def __init__(self, path: Path, number: int) -> None:
        """Raises UsageError when it is no recording."""
        self.number = number
        self.name = safe(str(path))
        with opening(path):
            self._reading: Reading = read(path)
            self._messages = iter(self._reading)
        self._stopped = False
        self.until_ns = EVER[0]
        """No event that is still to be read is earlier (wall clock, ns), except those that came late."""
        self._offset_ns = 0
        self._states: dict[str, stream.State] = {}
        self._stats: stream.Stats | None = None
        self._changes: list[stream.Changed | stream.Compared] = []

    @cached_property
    def _first(self) -> stream.AnyMessage | None:
        """The first message, read when it is needed. Root reads it only for Parquet, whose files are one for each of
        its programs and are created before root is given up; the account that follows reads all others."""
        return next(self._messages, None)

    @property
    def _hello(self) -> stream.Hello | None:
        return self._first if isinstance(self._first, stream.Hello) else None

    @property
    def programs(self) -> list[str]:
        """The programs whose events it has."""
        return [p for p in self._hello.programs if p in SCHEMAS] if self._hello is not None else []

    def rounds(self, choice: Choice, sink: Sink, since: str | None, until: str | None) -> Iterator[list[Part]]:
        """Its events from *since* to *until*, as ``moment_ns`` reads them, round by round; nothing behind *until* is
        read. Other messages go to *sink*. Raises UsageError when the recording has no such time."""
        within = EVER if since is until is None else None
        if self._first is not None:
            self._take(self._first, sink)
        for message in self._messages:
            self._take(message, sink)
            if isinstance(message, stream.Cgroups):
                choice.learn(message, self.number)
            if not isinstance(message, stream.Round):
                continue
            ended = message.drained_ns + self._offset_ns
            self.until_ns = message.before_ns + self._offset_ns
            if within is None:
                within = self._within(since, until, ended)
            if ended >= within[0]:
                yield choice.of(message, self._offset_ns, within, self.number)
            if self.until_ns > within[1]:
                break
        self.until_ns = EVER[1]

    def _within(self, since: str | None, until: str | None, begin_ns: int) -> tuple[int, int]:
        try:
            first = moment_ns(since, begin_ns) if since is not None else EVER[0]
            last = moment_ns(until, begin_ns) if until is not None else EVER[1]
        except ValueError as e:
            raise click.UsageError(f"{self.name}: {e}") from e
        if since is not None and until is not None and last < first:
            raise click.UsageError(f"{self.name}: --until {until} is before --since {since}")
        return first, last

    def _take(self, message: stream.AnyMessage, sink: Sink) -> None:
        match message:
            case stream.Hello():
                self._offset_ns = message.wall_offset_ns
            case stream.State():
                self._states[message.program] = message
            case stream.Changed() | stream.Compared():
                self._changes.append(message)
            case stream.Stats():
                self._offset_ns, self._stats = message.wall_offset_ns, message
        sink.hear(message, self.number)

    def summary(self) -> dict[str, Any]:
        """The ledger as of the last message that was read."""
        return ledger.summarize(self._stats, self._states, self._changes) if self._stats is not None else {}

    def told(self) -> Told:
        """What it tells of itself."""
        damage = None if self._stopped else self._reading.damage
        return Told(self._hello, self.summary(), str(damage or ""))

    def stop(self) -> None:
        """Read no further, even if a read waits at the moment."""
        self._stopped = True
        self._reading.stop()

    def close(self) -> str:
        """Close the file. Returns what is wrong with it, or ""."""
        self._reading.close()
        damage = self.told().damage
        return f"{self.name}: {damage}" if damage else ""


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _in_order(recordings: list[Recording], rounds: list[Iterator[list[Part]]]) -> Iterator[list[Part]]:
    """The events of all recordings, in time order of one list after another. A list of a single recording is a round,
    so that what comes through a pipe is printed when it comes."""
    if len(rounds) == 1:
        yield from rounds[0]
        return
    held: list[Part] = []
    reading = list(zip(recordings, rounds, strict=True))
    while reading:
        behind = min(reading, key=lambda one: one[0].until_ns)
        if (parts := next(behind[1], None)) is None:
            reading.remove(behind)
        held += parts or []
        until = min((one.until_ns for one, _ in reading), default=EVER[1])
        pairs = [earlier(part, until) for part in held]
        held = [later for _, later in pairs if len(later.batch)]
        yield [part for part, _ in pairs if len(part.batch)]


def run(options: ReprintOptions) -> int:
    """Print or write the events and return the exit status. Raises UsageError, CannotTrace and CannotWrite."""
    output_files.check(options.style, options.output)
    out = Output(options.style)
    recordings = [Recording(file, number) for number, file in enumerate(options.files)]
    with as_who_asked():
        if options.summary is not None and any(_same(file, Path(options.summary)) for file in options.files):
            raise click.UsageError(f"--summary {safe(options.summary)} would replace the recording that is read")
    summary_file = open_summary(options.summary)

    def recorded() -> list[str]:
        return list(dict.fromkeys(program for one in recordings for program in one.programs))

    files = output_files.open_files(options.style, options.output, recorded)
    give_way(options.nice)
    give_up_root()
    programs = recorded()

    def stop() -> None:
        for one in recordings:
            one.stop()

    when_told(stop)
    width = shutil.get_terminal_size().columns if out.screen else None
    sink: Sink = (
        Export(options.style, files, programs)
        if files
        else Printer(out, writer(options.style, programs, out.screen and term.colours(), width))
    )
    choice = Choice(options.display, options.count)
    sink.begin()
    rounds = [one.rounds(choice, sink, options.since, options.until) for one in recordings]
    damage = []
    try:
        for parts in _in_order(recordings, rounds):
            sink.put(choice.first(parts))
            if choice.complete:
                break
    except stream.StreamError as e:
        damage.append(f"cannot be written any further: {e}")
    sink.close([one.told() for one in recordings])
    damage += [text for one in recordings if (text := one.close())]
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
    return FEWER if choice.lacking else 0
