"""How long a command without a screen waits for its collector, and for the reader of its output."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ringtop.tui.source.source import SILENCE_S

_LOOK_S = 0.2
_LEAVE_S = 1.0
"""Seconds for the command to end after it was freed of what it waited for."""


class Patience:
    """Looks from a thread of its own whether a command gets on.

    *tell* is called with a text when the collector falls silent, and when it is heard again. Once ``leave`` was called,
    *free* is called when the collector is silent, and *give_up* when that does not help or when the output takes
    nothing, with the reason and whether the output can be written.
    """

    def __init__(
        self, tell: Callable[[str], object], free: Callable[[], object], give_up: Callable[[str, bool], object]
    ) -> None:
        self._tell, self._free, self._give_up = tell, free, give_up
        self._since = time.monotonic()
        """When something happened last: a message came, or a part of the output was taken."""
        self._writing = False
        self._leaving = self._hurried = 0.0
        """When the collector was asked to end, and when a signal asked for it."""
        self.ended = False
        """Whether the collector has said all."""
        self._told = False
        self._over = threading.Event()

    def start(self) -> None:
        """Begin to look."""
        threading.Thread(target=self._watch, name="patience", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._over.set()

    def leave(self, hurried: bool) -> None:
        """The collector was asked to end. A *hurried* command waits for the reader of its output no longer, either."""
        self._leaving = self._leaving or time.monotonic()
        if hurried:
            self._hurried = self._hurried or time.monotonic()

    def went_on(self) -> None:
        """A part of the output was taken."""
        self._since = time.monotonic()

    def heard(self) -> None:
        """A message has come."""
        if self._told:
            self._told = False
            self._tell(f"the collector is heard again, after {time.monotonic() - self._since:.0f} s")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Something is written meanwhile, and no message is waited for."""
        self._since, self._writing = time.monotonic(), True
        try:
            yield
        finally:
            self._since, self._writing = time.monotonic(), False

    def _watch(self) -> None:
        looked = time.monotonic()
        while not self._over.wait(_LOOK_S):
            before, looked = looked, time.monotonic()
            if looked - before > SILENCE_S / 2:  # it was this process that was stopped
                self._since = looked
            waits = self._hurried if self._writing else self._leaving
            idle = time.monotonic() - max(self._since, waits)
            if idle < SILENCE_S or (self.ended and not self._writing):
                continue
            if waits and self._writing:
                self._give_up("its reader takes no more of the output, and the rest of it is lost", False)
            elif waits:
                self._free()
                if not self._over.wait(_LEAVE_S):
                    self._give_up("the collector does not answer", True)
            elif not self._writing and not self._told:
                self._told = True
                silence = f"nothing has come from the collector for {SILENCE_S:.0f} s"
                self._tell(f"{silence}: it hangs, or was stopped. Ctrl+C ends it")
