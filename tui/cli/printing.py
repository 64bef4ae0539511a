"""One run of ``ringtop trace``."""

from __future__ import annotations

from typing import TextIO

from ringtop.bpf import stream
from ringtop.bpf.common import sizes
from ringtop.bpf.common.transports import NAMES
from ringtop.tui.cli.command import Command
from ringtop.tui.cli.printer import FEWER, Choice, Sink
from ringtop.tui.cli.session import Session
from ringtop.tui.cli.summary_file import write_summary
from ringtop.tui.cli.trace import TraceOptions
from ringtop.tui.lines.part import Told
from ringtop.tui.lines.summary import balanced, cost, summarize
from ringtop.tui.model import notes
from ringtop.tui.source.client import Client
from ringtop.tui.text import glyphs
from ringtop.tui.text.text import safe


def tracing(state: stream.State) -> str:
    """How a program is traced, in a line."""
    per = "" if state.transport == "ringbuf" else " a CPU"
    where = f"{NAMES[state.transport]} {sizes.human(state.buffer_bytes)}{per}"
    hook = safe(f"{state.hook} ({state.loader})" if state.loader else state.hook)
    without = f"; without {safe(state.without)}" if state.without else ""
    return f"tracing {state.program} by {hook}; {where}{without}"


class Trace(Session):
    """It takes the messages of a collector and gives their events to *sink*."""

    def __init__(
        self,
        options: TraceOptions,
        client: Client,
        sink: Sink,
        summary: TextIO | None = None,
        command: Command | None = None,
    ) -> None:
        super().__init__(client, options.collector.programs, options.duration, options.quiet, command)
        self.options, self._sink = options, sink
        sink.taken = self.patience.went_on
        self._choice = Choice(options.display, options.count)
        self.changes: list[stream.Changed | stream.Compared] = []
        self.glyphs = glyphs.choose()
        self._summary = summary
        self._hello: stream.Hello | None = None
        self._wall_offset_ns = 0
        self._costs: stream.Costs | None = None
        """The newest, which the summary tells."""
        self._cpus = 1

    def hear(self, message: stream.AnyMessage) -> None:
        """Process one message. Raises CannotWrite."""
        match message:
            case stream.Hello():
                self._hello = message
                self._wall_offset_ns, self._cpus = message.wall_offset_ns, len(message.cpus)
                if self._summary is not None:
                    self.client.send(stream.Measure(True))
            case stream.Changed() | stream.Compared():
                self.changes.append(message)
                self.tell(f"{message.program}: {notes.text(message, self._cpus, self.glyphs)}")
            case stream.State() if message.state == "running" and message.program not in self.states:
                self.tell(tracing(message))
            case stream.Cgroups():
                self._choice.learn(message)
            case stream.Round():
                self._round(message)
            case stream.Stats():
                self._wall_offset_ns = message.wall_offset_ns
            case stream.Costs():
                self._costs = message
        self._sink.hear(message)

    def begun(self) -> None:
        """Print the titles, and schedule the changes of ``--after``."""
        if any(s.state == "running" for s in self.states.values()):
            self._sink.begin()
        for seconds, control in self.options.after:
            self.later(seconds, self.client.send, control)

    def cut_short(self) -> str:
        """Write the end of the files all the same, with the ledger as of then."""
        ledger = summarize(self.stats, self.states, self.changes) if self.stats is not None else {}
        self._sink.close([Told(self._hello, ledger, "the stream of the collector broke off")])
        return ""

    def finish(self, status: int) -> int:
        """Print the ledger for people, and write it as JSON for scripts."""
        summary = self.summary(self.changes)
        self._sink.close([Told(self._hello, summary)])
        if self._summary is not None:
            write_summary(self._summary, summary | ({"cost": cost(self._costs)} if self._costs is not None else {}))
        if self.options.check and not balanced(summary):
            return 4
        return FEWER if self._choice.lacking and status == 0 else status

    def _round(self, message: stream.Round) -> None:
        parts = self._choice.first(self._choice.of(message, self._wall_offset_ns))
        self._sink.put(parts)
        if parts and self._choice.complete:
            self.stop()
