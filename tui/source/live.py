"""A local collector as the viewer's source of messages."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ringtop.bpf import stream
from ringtop.bpf.common.errors import CannotTrace
from ringtop.tui.source.client import Client, CollectorDied
from ringtop.tui.source.pace import Pace
from ringtop.tui.source.source import Lost, Post

_PATIENCE = 0.5
"""Seconds to wait for the messages that a collector sent before its end."""


class LiveSource:
    """A collector that *begin* starts when the viewer is ready for it, or *first*, which runs already.

    *cure* is added to the error when a collector started by *begin* ends without having sent a message.
    """

    label = "local"
    live = True

    def __init__(self, begin: Callable[[], Client], first: Client | None = None, cure: str = "") -> None:
        self._begin, self._first, self._cure = begin, first, cure
        self._client: Client | None = None
        self._thread: threading.Thread | None = None

    def start(self, post: Post) -> None:
        """Start a collector and a thread that hands its messages to *post*."""
        try:
            cure = "" if self._first else self._cure
            client = self._client = self._first or self._begin()
        except (OSError, CannotTrace) as e:
            post(Lost("it could not be started", str(e) if isinstance(e, CannotTrace) else e.strerror or str(e)))
            return
        self._first = None
        self._thread = threading.Thread(target=self._read, args=(client, post, cure), name="collector", daemon=True)
        self._thread.start()

    def _read(self, client: Client, post: Post, cure: str) -> None:
        try:
            for message in client.messages(Pace().rest):
                cure = ""
                post(message)
        except CollectorDied as e:
            if self._client is client:
                post(Lost(e.how, "\n".join(filter(None, (e.errors, cure)))))
        except stream.StreamError as e:
            post(Lost("the stream is damaged", str(e)))

    def send(self, control: stream.Control) -> None:
        """Send *control* to the collector, if there is one."""
        if client := self._client:
            client.send(control)

    def stop(self) -> None:
        """Have the collector detach and exit; messages that it sends until then are still posted."""
        client, self._client = self._client, None
        if client:
            client.close()
        if self._thread:
            self._thread.join(_PATIENCE)  # only a collector that cannot be killed keeps the thread longer
