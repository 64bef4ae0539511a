"""Textual's terminal driver for links of any width.

Textual queues its frames, repeats in each of them far more than has changed, and blocks when the queue is full.
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
"""Longest waits at the end, for a terminal's answers, and for it to read."""


class Driver(TextualDriver):
    """Writes through ``Output``. The app's ``link``, if it has one, tells how that goes."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._output = Output(self._send, getattr(app, "link", None) or Link())

    def start_application_mode(self) -> None:
        """Take the terminal."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._output.start()  # not before the terminal echoes no answers, and shows the other screen
        resized = signal.getsignal(signal.SIGWINCH)

        def resize(number: int, frame: FrameType | None) -> None:
            self._output.link.stale = True  # terminals do not agree on what is left of their lines then
            if callable(resized):
                resized(number, frame)

        signal.signal(signal.SIGWINCH, resize)

    def write(self, data: str) -> None:
        """Never waits."""
        self._output.write(data, self.size)

    def process_message(self, message: Message) -> None:
        """From the thread that reads keys, and the terminal's answers."""
        if isinstance(message, events.CursorPosition):
            self._output.answer()
            return
        if isinstance(message, events.Resize):
            self._output.link.stale = True
        super().process_message(message)

    def disable_input(self) -> None:
        """Read no more keys, when the terminal's answers are in: a shell would take them for keys."""
        self._output.hold(ANSWERS_S)
        super().disable_input()

    def close(self) -> None:
        """Stop writing."""
        super().close()
        self._output.close(GIVE_UP_S)

    def _send(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self.fd, data) :]
            except BlockingIOError:  # somebody who shares the terminal made it so
                select.select([], [self.fd], [])
