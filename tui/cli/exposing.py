"""One run of ``ringtop metrics``."""

from __future__ import annotations

import time

from ringtop.bpf import stream
from ringtop.tui.cli.metrics import MetricsOptions
from ringtop.tui.cli.replacer import Replacer
from ringtop.tui.cli.session import Session
from ringtop.tui.metrics.metrics import Metrics
from ringtop.tui.source.client import Client
from ringtop.tui.text.say import say
from ringtop.tui.text.text import safe

_EVERY_S = 15.0
"""Seconds between two replacements of the file."""


class Exposing(Session):
    """It counts what a collector sends, and tells the counts to who asks."""

    def __init__(self, options: MetricsOptions, client: Client, replacer: Replacer | None) -> None:
        super().__init__(client, options.collector.programs, options.duration, options.quiet)
        self._options, self._replacer = options, replacer
        self._metrics = Metrics()
        self._due = 0.0
        self._failed = False

    def listen(self) -> bool:
        """Begin to answer Prometheus, if that is asked for. Returns whether it is possible."""
        if self._options.listen is None:
            return True
        address, port = self._options.listen
        where = safe(f"[{address}]:{port}" if ":" in address else f"{address}:{port}")
        try:
            self._metrics.listen(address, port)
        except OSError as e:
            say(f"cannot listen on {where}: {e.strerror or e}. Choose another place: --listen ADDRESS:PORT")
            return False
        self.tell(f"metrics on http://{where}/metrics")
        return True

    def hear(self, message: stream.AnyMessage) -> None:
        """Count *message*."""
        self._metrics.hear(message)
        if isinstance(message, stream.Hello):
            self.client.send(stream.Measure(True))
        elif isinstance(message, stream.Stats) and time.monotonic() >= self._due:
            self._due = time.monotonic() + _EVERY_S
            self._write()

    def _write(self) -> None:
        if self._replacer is None:
            return
        try:
            self._replacer.replace(self._metrics.text())
            self._failed = False
        except OSError as e:
            if not self._failed:
                say(f"{safe(str(e.filename))} cannot be written: {e.strerror}. Its last content stays")
            self._failed = True

    def finish(self, status: int) -> int:
        """Write the last values, and print the ledger."""
        self._write()
        self.summary()
        return status
