"""The sources that the viewer shows, by the number of their host: one alone has 0, several count from 1."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from ringtop.bpf import stream
from ringtop.tui.app.deck import tapped
from ringtop.tui.source import hosts
from ringtop.tui.source.gather import Gather
from ringtop.tui.source.hosts import Place
from ringtop.tui.source.inbox import Inbox
from ringtop.tui.source.source import Source

SHARED_BYTES = 32 << 20
"""What the inboxes of several hosts may hold together."""


class Sources:
    """Starts and stops *sources*, whose messages end up in *inbox*, and passes controls on to them."""

    def __init__(self, sources: Sequence[Source], inbox: Inbox) -> None:
        several = len(sources) > 1
        self._inbox = inbox
        self._of = dict(enumerate(sources, 1)) if several else {0: tapped(sources[0])}
        self._gather = Gather(inbox, self._of, SHARED_BYTES) if several else None
        self.names = {n: source.label.removeprefix("ssh ") for n, source in self._of.items()} if several else {}
        """The names of several hosts."""
        inbox.names.hosts = {host: os.fsencode(name) for host, name in self.names.items()}

    @property
    def alone(self) -> Source | None:
        """The only source; None where there are several."""
        return self._of.get(0)

    @property
    def live(self) -> bool:
        """Whether the events happen now."""
        return all(source.live for source in self._of.values())

    @property
    def label(self) -> str:
        """The link of a source that is alone."""
        return self.alone.label if self.alone is not None else ""

    def local(self, host: int) -> bool:
        """Whether the events of *host* come live from this machine."""
        source = self._of[host]
        return source.live and source.label == "local"

    def heard_ns(self, host: int) -> int:
        """When the last message of *host* came, by the monotonic clock."""
        return (self._inbox if self._gather is None else self._gather.inboxes[host]).posted_ns

    def place(self, host: int) -> Place | None:
        """What is known of the clocks of *host*; None for a source that is alone."""
        return self._gather.places[host] if self._gather is not None else None

    def start(self, *only: int) -> None:
        """Start all sources, or *only* those of these hosts; what waits of them is discarded."""
        if self._gather is None:
            self._inbox.clear()
            self._of[0].start(self._inbox.post)
            return
        if not only:
            self._gather.start()
        for host in only or self._of:
            self._of[host].start(self._gather.post(host))

    def gather(self) -> None:
        """Move what has come from several hosts now."""
        if self._gather is not None:
            self._gather.move()

    def send(self, control: stream.Control, to: Iterable[int]) -> None:
        """Pass *control* on to the sources of the hosts *to*."""
        for host in to:
            self._of[host].send(control)

    def stop(self, *only: int) -> None:
        """Stop all sources at the same time, or *only* those of these hosts."""
        hosts.stop([self._of[host] for host in only or self._of])
        if self._gather is not None and not only:
            self._gather.stop()
