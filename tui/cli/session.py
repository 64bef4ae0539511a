"""A run on a collector without a screen: the common part of ``trace``, ``record`` and ``top``."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from ringtop.bpf import stream
from ringtop.bpf.common.errors import CannotTrace
from ringtop.tui.cli.command import Command
from ringtop.tui.cli.ending import when_told, when_unheard
from ringtop.tui.cli.output import CannotWrite
from ringtop.tui.cli.patience import Patience
from ringtop.tui.lines import summary as ledger
from ringtop.tui.source.client import Client, CollectorDied
from ringtop.tui.text.say import say
from ringtop.tui.text.text import safe

_LEAVES_S = 60.0
"""Seconds for a collector that has said ``End`` to leave: on a slow machine the kernel takes its time to free what the
collector had, and a signal would only replace its exit status."""
_TWICE_S = 0.3
"""Seconds between two signals of somebody who does not want to wait."""
_TELLS_S = 0.2
"""Seconds for the end of a command to be told."""


class Session:
    """Reads the messages of a collector to the end. Commands override ``hear``, ``begun``, ``cut_short`` and
    ``finish``; by default these do nothing."""

    def __init__(
        self,
        client: Client,
        programs: Sequence[str],
        duration: float | None = None,
        quiet: bool = False,
        command: Command | None = None,
    ) -> None:
        self.client = client
        self.states: dict[str, stream.State] = {}
        """The newest state of each program."""
        self.stats: stream.Stats | None = None
        """The newest ledger; it is exact at the end."""
        self.patience = Patience(self.tell, lambda: self.client.close(0), self._give_up)
        self._programs, self._duration, self._quiet = programs, duration, quiet
        self._command, self._launched = command, False
        self._told_at: float | None = None

    def hear(self, message: stream.AnyMessage) -> None:
        """Called with each message. Raises StreamError, OSError, CannotWrite."""

    def begun(self) -> None:
        """Called once every program runs or has failed."""

    def cut_short(self) -> str:
        """Called when the stream broke off before its end; returns a message about what was received, or ""."""
        return ""

    def finish(self, status: int) -> int:
        """Called after the end with the collector's exit *status*; returns the exit status of the command."""
        return status

    def run(self, reader: int) -> int:
        """Run until the collector's ``End`` and return the exit status. A signal, or the loss of the reader of the file
        descriptor *reader*, asks the collector to end. With a command, its end does, and signals go to the command; the
        run ends after the command, with its status if all else is well. Raises CannotTrace, and OSError and CannotWrite
        from ``hear``."""
        command = self._command
        if command is None:
            when_told(self.told)
            return self._listen(reader)
        command.pass_signals_on()
        command.watch(self.stop)
        try:
            status = self._listen(reader)
        except CannotTrace:
            if command.wait(_TELLS_S) is None:
                raise
            status = 0  # a signal ended it before it was launched, and the collector found nothing to follow
        finally:
            ended = command.wait(None if self._launched else 0)
        if command.failure is not None:
            say(safe(str(command.failure)))
        return status or ended or 0

    def _listen(self, reader: int) -> int:
        when_unheard(reader, self.hurry)
        self.patience.start()
        try:
            return self._run()
        finally:
            self.patience.stop()

    def _run(self) -> int:
        try:
            try:
                for message in self.client.messages():
                    self.patience.heard()
                    with self.patience.writing():
                        self.take(message)
            finally:
                self.patience.ended = True
        except CollectorDied as e:
            with self.patience.writing():
                kept = self.cut_short()
            if any(state.state == "failed" for state in self.states.values()):  # their reasons were printed
                return e.status
            e.raise_if_it_cannot_trace()
            self._broke_off(e, kept)
            return 1
        except stream.StreamError as e:
            self._broke_off(e, self.cut_short())
            self.client.close()
            return 1
        except (OSError, CannotWrite):
            self.client.close()
            raise
        status = self.client.close(_LEAVES_S)
        with self.patience.writing():
            return self.finish(status)

    def _broke_off(self, error: Exception, kept: str) -> None:
        say(str(error))
        if kept:
            say(kept)

    def stop(self) -> None:
        """Ask the collector to detach and to send the remaining events."""
        self.patience.leave(hurried=False)
        self.client.send(stream.Stop())

    def told(self) -> None:
        """A signal asks for the end, and a later one for the end at once. `timeout` sends two at the same moment."""
        if self._told_at is None:
            self._told_at = time.monotonic()
            self.hurry()
        elif time.monotonic() - self._told_at > _TWICE_S:
            # In a thread: what the signal has interrupted may be ending the collector, too.
            threading.Thread(target=self._give_up, args=("a second signal asked for that", False)).start()

    def hurry(self) -> None:
        """The same, for a user who will not wait for a reader that takes nothing."""
        self.patience.leave(hurried=True)
        self.client.send(stream.Stop())

    def _give_up(self, why: str, writable: bool) -> None:
        """End at once: the main thread waits for something that does not come."""
        self.client.close(0)
        kept = self.cut_short() if writable else ""
        say("\n".join(filter(None, (f"ended before its end: {why}", kept))))
        os._exit(1)

    def later(self, seconds: float, act: Callable[..., object], *arguments: object) -> None:
        """Call *act* with *arguments* after *seconds*."""
        timer = threading.Timer(seconds, act, arguments)
        timer.daemon = True
        timer.start()

    def tell(self, text: str) -> None:
        """Print a line for people on standard error, unless the command is quiet."""
        if not self._quiet:
            say(text)

    def take(self, message: stream.AnyMessage) -> None:
        """Process one message."""
        match message:
            case stream.Notice():
                self.tell(message.text)
            case stream.Stats():
                self.stats = message
        self.hear(message)
        if isinstance(message, stream.State):
            self._state(message)

    def _state(self, state: stream.State) -> None:
        known = state.program in self.states
        self.states[state.program] = state
        if known:
            return
        if state.state == "failed":
            say(state.reason)
        if len(self.states) == len(self._programs):
            if state.scope:
                self.tell(f"only {safe(state.scope)}")
            self.begun()
            if self._command is not None and any(s.state == "running" for s in self.states.values()):
                self._launched = True
                self._command.start()
            if self._duration:
                self.later(self._duration, self.stop)

    def summary(self, changes: Sequence[stream.Changed | stream.Compared] = ()) -> dict[str, Any]:
        """The ledger at the end, which is also printed for people."""
        assert self.stats is not None, "a stream that ends with End has Stats before it"
        summary = ledger.summarize(self.stats, self.states, changes)
        for line in ledger.lines(summary):
            self.tell(line)
        return summary
