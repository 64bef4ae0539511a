"""One run of ``ringtop trace`` on several hosts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from ringtop.bpf import stream
from ringtop.bpf.event.batch import Batch
from ringtop.tui.cli.hosts import Host, HostSource, HostsRun
from ringtop.tui.cli.printer import FEWER, Choice, Printer
from ringtop.tui.cli.printing import tracing
from ringtop.tui.cli.summary_file import write_summary
from ringtop.tui.cli.trace import TraceOptions
from ringtop.tui.lines.part import Part
from ringtop.tui.model import notes
from ringtop.tui.source.hosts import OFFSET_NS
from ringtop.tui.source.inbox import Entry
from ringtop.tui.text import glyphs


class HostsTrace(HostsRun):
    """It gives the events of all hosts to *sink*, in time order of what has come together."""

    def __init__(
        self, options: TraceOptions, sources: Sequence[HostSource], sink: Printer, summary: TextIO | None = None
    ) -> None:
        super().__init__(sources, options.collector.programs, options.duration, options.quiet)
        self._options, self._sink, self._summary = options, sink, summary
        sink.taken = self.patience.went_on
        self._choice = Choice(options.display, options.count)
        self._glyphs = glyphs.choose()
        self._titled = False

    def events(self, batches: list[Batch], now_ns: int) -> None:
        """Print the events that pass."""
        found = [Part(passed, OFFSET_NS) for batch in batches if len(passed := self._choice.passed(batch))]
        parts = self._choice.first(found)
        self._sink.put(parts)
        if parts and self._choice.complete:
            self.stop()

    def hear(self, host: Host, message: Entry) -> None:
        """Tell what happens on *host*, and print the titles before the first event."""
        match message:
            case stream.Changed() | stream.Compared() if host.hello is not None:
                text = notes.text(message, len(host.hello.cpus), self._glyphs)
                self.tell(f"{host.name}: {message.program}: {text}")
            case stream.State() if message.state == "running":
                if message.program not in host.connections[-1].states:
                    self.tell(f"{host.name}: {tracing(message)}")
                if not self._titled:
                    self._titled = True
                    self._sink.begin()

    def begun(self) -> None:
        """Schedule the changes of ``--after``."""
        for seconds, control in self._options.after:
            self.later(seconds, self.all.send, control)

    def finish(self) -> int:
        """Print the ledgers for people, and write them as JSON for scripts."""
        summaries = self.summaries()
        if self._summary is not None:
            write_summary(self._summary, summaries)
        if self._options.check and not self.balanced():
            return 4
        return FEWER if self._choice.lacking else 0
