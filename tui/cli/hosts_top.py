"""One run of ``ringtop top`` on several hosts, whose events are folded together."""

from __future__ import annotations

from collections.abc import Sequence

from ringtop.bpf import stream
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.cli.hosts import Host, HostSource, HostsRun
from ringtop.tui.cli.top import Run, TopOptions
from ringtop.tui.source.gather import joined
from ringtop.tui.source.inbox import Arrived, Entry


class HostsTop(HostsRun):
    """It gives the events and the ledgers of all hosts to *run*."""

    def __init__(self, options: TopOptions, sources: Sequence[HostSource], run: Run) -> None:
        super().__init__(sources, options.collector.programs, options.duration, options.quiet)
        self._reports, self._check = run, options.check
        run.out.taken = self.patience.went_on

    def events(self, batches: list[Batch], now_ns: int) -> None:
        """Fold them."""
        parts = {program: [batch for batch in batches if batch.program == program] for program in SCHEMAS}
        self._reports.take(Arrived(tuple(joined(p, found) for p, found in parts.items() if found), now_ns))

    def hear(self, host: Host, message: Entry) -> None:
        """Take the ledgers."""
        if isinstance(message, stream.Hello | stream.Stats):
            self._reports.take(message, host.place.number)

    def begun(self) -> None:
        """Print which hosts are folded, if any has answered."""
        if up := [host.name for host in self.all.hosts if host.up]:
            self.tell(f"folding {', '.join(up)}")

    def finish(self) -> int:
        """Print the last reports and the ledgers, unless no host ever answered: that is not the same as quiet."""
        if any(host.connections for host in self.all.hosts):
            self._reports.report()
        self.summaries()
        return 4 if self._check and not self.balanced() else 0
