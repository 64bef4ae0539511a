"""All metrics of a stream. One thread feeds it, any thread may ask it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.core import InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from ringtop.bpf import stream
from ringtop.tui.metrics import ledger
from ringtop.tui.metrics.tally import Tally
from ringtop.tui.model.counters import Counters
from ringtop.tui.top.commands import Commands
from ringtop.tui.top.events import Known
from ringtop.tui.top.hashing import Hasher
from ringtop.tui.top.names import Comms


class _Request(WSGIRequestHandler):
    """One client, which has a thread of its own and ten seconds to ask."""

    timeout = 10

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Metrics(Collector):
    """The metrics of the stream that it hears."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counters = Counters()
        self._tallies: dict[str, Tally] = {}
        self._running: dict[str, bool] = {}
        self._hello: stream.Hello | None = None
        self._stats: stream.Stats | None = None
        self._costs: stream.Costs | None = None
        hasher = Hasher(os.urandom(16))
        self._known = Known(hasher, Comms(None), Commands(hasher))
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def hear(self, message: stream.AnyMessage) -> None:
        """Take a message. Raises StreamError for a round that cannot be decoded."""
        with self._lock:
            match message:
                case stream.Hello():
                    self._hello = message
                case stream.State():
                    self._running[message.program] = message.state == "running"
                case stream.Round():
                    for rows in message.batches:
                        batch = stream.batch(rows)
                        if batch.program not in self._tallies:
                            self._tallies[batch.program] = Tally(batch.program, self._known)
                        self._tallies[batch.program].take(batch)
                case stream.Stats():
                    self._counters.update(message)
                    self._stats = message
                case stream.Costs():
                    self._costs = message

    def collect(self) -> Iterator[Metric]:
        """All metrics of this moment."""
        with self._lock:
            yield from list(self._families())

    def _families(self) -> Iterator[Metric]:
        if self._hello is not None:
            about = {"host": self._hello.host, "kernel": self._hello.kernel, "version": self._hello.version}
            yield InfoMetricFamily("ringtop", "What is measured, and by what.", value=about)
        running: ledger.Values = {(program,): runs for program, runs in self._running.items()}
        yield ledger.gauge("running", "Whether a program runs (1) or has failed (0).", ("program",), running)
        if self._stats is not None:
            programs = self._counters.programs
            yield from ledger.of_programs(programs, self._stats)
            yield from (ledger.of_waits(one.waits) for one in programs.values() if one.waits is not None)
            yield from ledger.of_ringtop(self._stats, self._costs)
        for tally in self._tallies.values():
            yield from tally.families()

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def listen(self, address: str, port: int) -> WSGIServer:
        """Answer Prometheus there, from threads. Raises OSError."""
        server, _ = start_http_server(port, address, self._registry)
        server.RequestHandlerClass = _Request
        return server
