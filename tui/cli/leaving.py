"""How a run without a screen ends: when it is asked to, soon, or at once."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Protocol

from ringtop.bpf import stream
from ringtop.tui.cli.patience import Patience
from ringtop.tui.text.say import say

_TWICE_S = 0.3
"""Seconds between two signals of somebody who does not want to wait."""


class Collecting(Protocol):
    """A collector, or several."""

    def send(self, control: stream.Control) -> None:
        """Pass *control* on."""
        ...

    def close(self, patience: float = 0) -> int:
        """End it, at most *patience* seconds later than it can be."""
        ...


class Leaving:
    """A run on *collecting*, which prints messages for people unless it is *quiet*."""

    def __init__(self, collecting: Collecting, quiet: bool = False) -> None:
        self._collecting, self._quiet = collecting, quiet
        self.patience = Patience(self.tell, lambda: collecting.close(0), self._give_up)
        self._told_at: float | None = None

    def cut_short(self) -> str:
        """Called when the stream broke off before its end; returns a message about what was received, or ""."""
        return ""

    def stop(self) -> None:
        """Ask for the end: the collector detaches and sends the remaining events."""
        self.patience.leave(hurried=False)
        self._collecting.send(stream.Stop())

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
        self._collecting.send(stream.Stop())

    def later(self, seconds: float, act: Callable[..., object], *arguments: object) -> None:
        """Call *act* with *arguments* after *seconds*."""
        timer = threading.Timer(seconds, act, arguments)
        timer.daemon = True
        timer.start()

    def tell(self, text: str) -> None:
        """Print a line for people on standard error, unless the command is quiet."""
        if not self._quiet:
            say(text)

    def _give_up(self, why: str, writable: bool) -> None:
        """End at once: the main thread waits for something that does not come."""
        self._collecting.close(0)
        kept = self.cut_short() if writable else ""
        say("\n".join(filter(None, (f"ended before its end: {why}", kept))))
        os._exit(1)
