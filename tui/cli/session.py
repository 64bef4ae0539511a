"""A run on a collector without a screen: the common part of ``trace``, ``record`` and ``top``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ringtop.bpf import stream
from ringtop.bpf.common.errors import CannotTrace
from ringtop.tui.cli.command import Command
from ringtop.tui.cli.ending import when_told, when_unheard
from ringtop.tui.cli.leaving import Leaving
from ringtop.tui.cli.output import CannotWrite
from ringtop.tui.lines import summary as ledger
from ringtop.tui.source.client import Client, CollectorDied
from ringtop.tui.text.say import say
from ringtop.tui.text.text import safe

_LEAVES_S = 60.0
"""Seconds for a collector that has said ``End`` to leave: on a slow machine the kernel takes its time to free what the
collector had, and a signal would only replace its exit status."""
_TELLS_S = 0.2
"""Seconds for the end of a command to be told."""


class Session(Leaving):
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
        super().__init__(client, quiet)
        self.client = client
        self.states: dict[str, stream.State] = {}
        """The newest state of each program."""
        self.stats: stream.Stats | None = None
        """The newest ledger; it is exact at the end."""
        self._programs, self._duration = programs, duration
        self._command, self._launched = command, False

    def hear(self, message: stream.AnyMessage) -> None:
        """Called with each message. Raises StreamError, OSError, CannotWrite."""

    def begun(self) -> None:
        """Called once every program runs or has failed."""

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
