"""A collector on another host as a source of messages, which comes back by itself when its connection breaks off."""

from __future__ import annotations

import select
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib import metadata

from ringtop.bpf import stream
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.source import ssh
from ringtop.tui.source.client import Client, CollectorDied
from ringtop.tui.source.source import Lost, Post
from ringtop.tui.text.text import safe

ANSWERS_S = 30.0
"""Seconds for a host to answer; a shorter ConnectTimeout in the user's config ends the wait before that."""
SILENT_S = 10.0
"""A collector says something every second: after so many seconds without a byte the connection is taken for dead."""
PAUSES = (1.0, 30.0)
"""Seconds before the first new connection, and at most: each pause is twice the one before."""
_STEADY_S = 30.0
"""After a connection that lasted so many seconds, pauses begin with the first again."""
_LEAVES_S = 0.5
"""Seconds to wait for the messages that a collector sent before its end."""


class _Silent(Exception):
    """Nothing came for too long."""


class _Remote(Client):
    """A client that does not wait forever, and takes the layouts of older versions."""

    def __init__(self, command: Sequence[str]) -> None:
        super().__init__((), command)
        self._older = stream.Older()
        self._patience_s = ANSWERS_S
        self.version = ""
        """The version of ringtop there, as it says; empty before its ``Hello``."""
        self._poll = select.poll()
        self._poll.register(self._out, select.POLLIN)

    def read(self) -> bytes:
        """The next bytes. Raises _Silent."""
        if not self._poll.poll(self._patience_s * 1000):
            raise _Silent(f"nothing came for {self._patience_s:.0f} s")
        self._patience_s = SILENT_S
        return super().read()

    def accept(self, message: stream.AnyMessage) -> stream.AnyMessage:
        """Return *message* with our layouts. Raises StreamError."""
        if isinstance(message, stream.Hello):
            self.version = message.version
        message = self._older.renew(message)
        if isinstance(message, stream.Round):
            for rows in message.batches:
                stream.batch(rows)
        return message


class RemoteSource:
    """``ssh HOST ringtop collect``. When it breaks off, ``Lost`` is posted, and after a pause another connection is
    made, which begins with its ``Hello``; what was asked for last is asked for again."""

    live = True

    def __init__(self, host: str, options: CollectorOptions) -> None:
        """Raises ValueError when *host* is no name of a host. Processes that *options* excludes are of this machine."""
        ssh.check(host)
        self.host = host
        self.label = f"ssh {host}"
        self._command = ssh.command(host, replace(options, exclude=(), launched=0).arguments())
        self._lock = threading.Lock()
        self._client: _Remote | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False
        """Whether the user of this source has stopped it: nothing more is posted."""
        self._asked = False
        """Whether the collector was asked to end."""
        self._wake = threading.Event()
        self._wanted: dict[tuple[type[stream.Control], tuple[str, ...]], stream.Control] = {}

    def start(self, post: Post) -> None:
        """Connect, in a thread that hands all messages to *post*."""
        self._stopped = self._asked = False
        self._wake.clear()
        self._thread = threading.Thread(target=self._run, args=(post,), name=self.label, daemon=True)
        self._thread.start()

    def send(self, control: stream.Control) -> None:
        """Send *control* to the collector, if there is one, and what it wants to the next one, too."""
        with self._lock:
            match control:
                case stream.SetCapture():
                    if not control.programs:
                        self._wanted = {k: c for k, c in self._wanted.items() if k[0] is not stream.SetCapture}
                    self._wanted[stream.SetCapture, tuple(control.programs)] = control
                case stream.Follow() | stream.Measure():
                    self._wanted[type(control), ()] = control
                case stream.Stop():
                    self._asked = True
                    self._wake.set()
            if self._client is not None:
                self._client.send(control)

    def stop(self) -> None:
        """Have the collector detach and exit; messages that it sends until then are still posted."""
        with self._lock:
            self._stopped = True
            self._wake.set()
            client = self._client
        if client is not None:
            client.close()
        if self._thread is not None:
            self._thread.join(_LEAVES_S)

    def _run(self, post: Post) -> None:
        pause, most = PAUSES
        while not self._wake.is_set():
            began = time.monotonic()
            failure = self._listen(post)
            if failure is None or self._stopped:
                return
            if time.monotonic() - began > _STEADY_S:
                pause = PAUSES[0]
            last = failure.lasting or self._asked
            post(Lost(failure.what, failure.cure, 0.0 if last else pause))
            if last or self._wake.wait(pause):
                return
            pause = min(2 * pause, most)

    def _listen(self, post: Post) -> ssh.Failure | None:
        """Post what one connection brings, to its end; returns why it ended, None if it was asked to."""
        try:
            with self._lock:
                if self._wake.is_set():
                    return None
                client = self._client = _Remote(self._command)
                for control in self._wanted.values():
                    client.send(control)
        except (OSError, CannotTrace) as e:
            return ssh.Failure("ssh cannot be started", f"{e}\nInstall OpenSSH's client (openssh-client).", True)
        try:
            for message in client.messages():
                post(message)
                if isinstance(message, stream.End):
                    client.close()
                    return None if self._asked else ssh.Failure("its collector has ended", message.reason)
            return None
        except CollectorDied as e:
            return ssh.failure(self.host, e.status, e.errors) if e.status >= 0 else self._killed(e.status)
        except _Silent as e:
            return ssh.Failure("it does not answer", str(e))
        except stream.StreamError as e:
            return self._unreadable(client, str(e))
        finally:
            client.close(0)
            with self._lock:
                self._client = None

    def _killed(self, status: int) -> ssh.Failure:
        return ssh.Failure("ssh was ended", f"by {signal.Signals(-status).name}")

    def _unreadable(self, client: _Remote, why: str) -> ssh.Failure:
        ours = metadata.version("ringtop")
        if not client.version:
            quiet = f"Have `ssh {self.host} true` print nothing: a shell's start file there may print a greeting."
            return ssh.Failure("what it sends is not a stream of ringtop", f"{why}\n{quiet}", lasting=True)
        if client.version != ours:
            theirs = safe(client.version[:40])
            what = f"it runs ringtop {theirs}, whose events this ringtop {ours} cannot read"
            return ssh.Failure(what, "Install the same version on both.", lasting=True)
        return ssh.Failure("its stream is damaged", why, lasting=True)
