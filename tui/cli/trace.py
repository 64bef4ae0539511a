"""``ringtop trace``: events as lines, in time order, for pipes and scripts."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import click

from ringtop.bpf import filter as language
from ringtop.bpf import stream
from ringtop.bpf.common import sizes
from ringtop.bpf.common.transports import NAMES
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.cli.account import give_up_root
from ringtop.tui.cli.ending import when_told, when_unheard
from ringtop.tui.lines import summary as ledger
from ringtop.tui.lines.json_lines import escaped_json
from ringtop.tui.lines.lines import LineWriter, writer
from ringtop.tui.model import notes
from ringtop.tui.source.client import Client, CollectorDied, arguments
from ringtop.tui.text import glyphs
from ringtop.tui.text.say import say
from ringtop.tui.text.text import safe


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


@dataclass
class Trace:
    """One run: takes the messages of a collector and prints their events."""

    options: TraceOptions
    client: Client
    out: TextIO
    lines: LineWriter
    wall_offset_ns: int = 0
    printed: int = 0
    stats: stream.Stats | None = None
    changes: list[stream.Changed | stream.Compared] = field(default_factory=list)
    cpus: int = 1
    states: dict[str, stream.State] = field(default_factory=dict)
    failed: bool = False

    def __post_init__(self) -> None:
        self.glyphs = glyphs.choose()
        self.display = language.parse(self.options.display)

    def run(self) -> None:
        """Until the collector's ``End``. Raises CollectorDied, StreamError, OSError."""
        when_told(self.stop)
        when_unheard(self.out.fileno(), self.stop)
        for message in self.client.messages():
            self._take(message)

    def stop(self) -> None:
        """Ask the collector to detach and send what is left."""
        self.client.send(stream.Stop())

    def tell(self, text: str) -> None:
        """A line for people, on standard error."""
        if not self.options.quiet:
            say(text)

    def _take(self, message: stream.AnyMessage) -> None:
        match message:
            case stream.Hello():
                self.wall_offset_ns, self.cpus = message.wall_offset_ns, len(message.cpus)
            case stream.Changed() | stream.Compared():
                self.changes.append(message)
                self.tell(f"{message.program}: {notes.text(message, self.cpus, self.glyphs)}")
            case stream.Notice():
                self.tell(message.text)
            case stream.State():
                self._state(message)
            case stream.Round():
                self._round(message)
            case stream.Stats():
                self.stats, self.wall_offset_ns = message, message.wall_offset_ns

    def _state(self, state: stream.State) -> None:
        known = state.program in self.states
        self.states[state.program] = state
        if known:
            return
        if state.state == "failed":
            self.failed = True
            say(state.reason)
        elif state.state == "running":
            where = NAMES[state.transport]
            per = "" if state.transport == "ringbuf" else " a CPU"
            hook = safe(f"{state.hook} ({state.loader})" if state.loader else state.hook)
            self.tell(f"tracing {state.program} by {hook}; {where} {sizes.human(state.buffer_bytes)}{per}")
        if len(self.states) == len(self.options.collector.programs):
            header = self.lines.header()
            if header and any(s.state == "running" for s in self.states.values()):
                self._print([header])
            if self.options.duration:
                self._later(self.options.duration, stream.Stop())
            for seconds, control in self.options.after:
                self._later(seconds, control)

    def _later(self, seconds: float, control: stream.Control) -> None:
        timer = threading.Timer(seconds, self.client.send, (control,))
        timer.daemon = True
        timer.start()

    def _round(self, message: stream.Round) -> None:
        rows: list[tuple[int, str]] = []
        for part in message.batches:
            batch = stream.batch(part)
            if self.display is not None:
                batch = batch.take(language.match(self.display, batch))
            rows += zip(batch.rows["ts"].tolist(), self.lines.lines(batch, self.wall_offset_ns), strict=True)
        rows.sort(key=lambda row: row[0])
        if self.options.count is not None:
            rows = rows[: self.options.count - self.printed]
        self._print([line for _, line in rows])
        self.printed += len(rows)
        if rows and self.printed == self.options.count:
            self.stop()

    def _print(self, lines: list[str]) -> None:
        if lines:
            self.out.write("\n".join(lines) + "\n")
            self.out.flush()


def standard_output() -> TextIO:
    """Buffered whatever the environment says: with PYTHONUNBUFFERED, Python drops the rest of a write that a signal cut
    short. And a locale without UTF-8 is no reason to fail."""
    out = sys.stdout
    return open(out.fileno(), "w", encoding=out.encoding, errors="backslashreplace", closefd=False)


def _open_summary(where: str | None) -> TextIO | None:
    """Before root is given up. Raises click.UsageError."""
    if where is None or where == "-":
        return sys.stderr if where else None
    try:
        return Path(where).open("w")
    except OSError as e:
        raise click.UsageError(f"{safe(where)} cannot be written: {e.strerror}") from e


def run(options: TraceOptions) -> int:
    """Trace; the exit status. Raises CannotTrace when the collector cannot."""
    screen = sys.stdout.isatty()
    out = standard_output()
    summary_file = _open_summary(options.summary)
    client = Client(arguments(options.collector))
    give_up_root()
    lines = writer(
        options.style,
        options.collector.programs,
        colour=screen and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR"),
        width=shutil.get_terminal_size().columns if screen else None,
    )
    trace = Trace(options, client, out, lines)
    try:
        trace.run()
    except OSError as e:
        if e.errno != errno.EPIPE and not (e.errno == errno.EIO and screen):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())  # what is buffered is flushed at exit
        client.close()
        return 0
    except CollectorDied as e:
        if trace.failed:  # and has said why
            return e.status
        e.raise_if_it_cannot_trace()
        say(str(e))
        return 1
    except stream.StreamError as e:
        say(str(e))
        client.close()
        return 1
    status = client.close()
    assert trace.stats is not None  # the stream ended with End, and Stats comes before it
    summary = ledger.summarize(trace.stats, trace.states, trace.changes)
    for line in ledger.lines(summary):
        trace.tell(line)
    if summary_file is not None:
        summary_file.write(escaped_json(json.dumps(summary, indent=2)) + "\n")
        summary_file.flush()
    if options.check and not ledger.balanced(summary):
        return 4
    return status
