"""A Textual driver for terminals on links of any speed.

Textual's own driver queues its frames, repeats far more in each than has changed, and blocks when the queue is full.
"""

from __future__ import annotations

import os
import select
import signal
from types import FrameType
from typing import Any

from textual import events
from textual.app import App
from textual.message import Message

from ringtop.tui.terminal.contract import TextualDriver
from ringtop.tui.terminal.link import Link
from ringtop.tui.terminal.output import Output

ANSWERS_S = 1.0
GIVE_UP_S = 3.0
"""The longest waits at the end, in seconds: for the terminal's answers, and for the last output to be read."""
KEY_S = 1.0
"""The longest wait, in seconds, for the rest of a key whose bytes a slow link delivers in parts. Usually it is the time
of a round trip: that long takes what is sent again."""


class Driver(TextualDriver):
    """Writes through ``Output``, and keeps the app's ``link``, if it has one, up to date."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._output = Output(self._send, getattr(app, "link", None) or Link())

    def start_application_mode(self) -> None:
        """Take over the terminal and start writing to it."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._output.start()  # only now: echo is off, and the alternate screen is shown
        resized = signal.getsignal(signal.SIGWINCH)

        def resize(number: int, frame: FrameType | None) -> None:
            self._output.link.stale = True  # terminals disagree on how a resize changes their lines
            if callable(resized):
                resized(number, frame)

        signal.signal(signal.SIGWINCH, resize)

    def write(self, data: str) -> None:
        """Pass *data* on to the output; this never waits."""
        self._output.write(data, self.size)

    def process_message(self, message: Message) -> None:
        """Handle keys and the terminal's answers; this runs in the thread that reads them."""
        if isinstance(message, events.CursorPosition):
            self._output.answer()
            self.wait_for_keys(min(self._output.link.trip, KEY_S))
            return
        if isinstance(message, events.Resize):
            self._output.link.stale = True
        super().process_message(message)

    def disable_input(self) -> None:
        """Wait for the terminal's answers, then stop reading: a shell would take late answers for keys."""
        self._output.hold(ANSWERS_S)
        super().disable_input()

    def close(self) -> None:
        """Stop writing to the terminal."""
        super().close()
        self._output.close(GIVE_UP_S)

    def _send(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self.fd, data) :]
            except BlockingIOError:  # another process that shares the terminal set it to non-blocking
                select.select([], [self.fd], [])
