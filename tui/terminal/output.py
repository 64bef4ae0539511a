"""Output sends the terminal the difference between what it shows and the newest canvas, whenever the link is free.

Writing never waits: it only changes the canvas. A thread brings the terminal up to date; changes that were replaced
while the link was busy are never sent.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from ringtop.tui.terminal.canvas import Canvas
from ringtop.tui.terminal.contract import BEGIN, BELOW, END
from ringtop.tui.terminal.delta import delta
from ringtop.tui.terminal.link import Link

WHERE = "\x1b[6n"
"""Asks for the cursor position. A terminal answers once it has shown everything sent before."""


class Output:
    """Sends frames to a terminal. *send* may block, and raises OSError when the terminal is gone."""

    def __init__(self, send: Callable[[bytes], None], link: Link) -> None:
        self._send = send
        self.link = link
        self.canvas = Canvas(0, 0)
        self._shown: Canvas | None = None
        self._others: list[str] = []
        self._changed = threading.Condition()
        self._drawn = self._sync = self._holding = self._closing = False
        self._thread: threading.Thread | None = None

    @property
    def alive(self) -> bool:
        """Whether the writing thread is running."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start writing; after a pause the whole screen is sent, as other programs may have used the terminal."""
        with self._changed:
            self._shown, self._drawn, self._holding, self._closing = None, True, False, False
            # This question alone gives the quickest possible answer: the first frame is large and slow on a thin link.
            self._others.append(WHERE)
            self.link.ask()
        if not self.alive:
            self._thread = threading.Thread(target=self._run, name="output", daemon=True)
            self._thread.start()

    def write(self, data: str, size: tuple[int, int]) -> None:
        """Draw *data* on the canvas, which gets *size* (columns, rows); other sequences are passed through."""
        with self._changed:
            if (self.canvas.width, self.canvas.height) != size:
                self.canvas.resize(*size)
            if data in (BEGIN, END):
                self._sync = True
                return
            others = self.canvas.write(data)
            self._others += others
            if "".join(others) != data:
                self._drawn = True
                self.link.draw()
            self._changed.notify_all()

    def answer(self) -> None:
        """Take the terminal's report of its cursor position."""
        with self._changed:
            self.link.answer()
            self._changed.notify_all()

    def hold(self, seconds: float) -> None:
        """Send no more frames, and move below the last; wait up to *seconds* for answers to those already sent."""
        with self._changed:
            if not self._holding:
                self._others.append(BELOW)
            self._holding = True
            self._changed.notify_all()
            if self.alive:
                self._changed.wait_for(lambda: self.link.settled, seconds)

    def close(self, seconds: float) -> None:
        """Write what is left, if the terminal takes it within *seconds*."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(seconds)

    def next(self) -> str:
        """The text to write now; empty when there is none."""
        with self._changed:
            data, self._others = "".join(self._others), []
            return data + self._frame() if self._paints() else data

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                with self._changed:
                    while not self._changed.wait_for(self._ready, 1.0):
                        pass  # checked each second: the link gives up on a terminal that does not answer
                data = self.next()
                if not data and self._closing:
                    return
                sent = data.encode()
                self._send(sent)
                self.link.written_bytes += len(sent)
                if data.endswith(WHERE):
                    with self._changed:
                        self.link.written()
                        self._changed.notify_all()

    def _ready(self) -> bool:
        return bool(self._others) or self._closing or self._paints()

    def _paints(self) -> bool:
        return self._drawn and not self._holding and self.link.free()

    def _frame(self) -> str:
        if self.link.stale:
            self.link.stale, self._shown = False, None
        frame = delta(self._shown, self.canvas)
        self._shown, self._drawn = self.canvas.copy(), False
        if frame:
            frame = f"{BEGIN}{frame}{END}{WHERE}" if self._sync else f"{frame}{WHERE}"
        self.link.leave(len(frame))
        return frame
