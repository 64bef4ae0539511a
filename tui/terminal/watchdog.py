"""Ends the viewer when its terminal goes away or a signal asks for it. The exit status is 128 plus the signal's number.

The watchdog runs outside the event loop, which may be blocked on the very terminal that is gone. Textual alone would
read the closed terminal for ever, using a whole CPU.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress

from ringtop.tui.terminal.contract import RESTORE

PATIENCE_S = 2.0
"""The time limit, in seconds, for the viewer to end by itself, and then for its source to be ended."""


class Watchdog:
    """Watches standard input's terminal. Make it in the main thread, before Textual changes the terminal."""

    def __init__(self, ending: Collection[int]) -> None:
        """*ending* are the signals that end the viewer."""
        self._ending = ending
        self._tty = sys.__stdin__.fileno() if sys.__stdin__ else 0
        self._attributes = termios.tcgetattr(self._tty)
        self._signals, write_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        # Python's C-level handler writes the numbers, so they arrive even when the main thread runs no Python code.
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        for number in ending:
            signal.signal(number, lambda *_: None)

    def start(self, leave: Callable[[int], object], let_go: Callable[[], None]) -> None:
        """Start watching. *leave* asks the viewer to end with an exit status; *let_go* ends what must not outlive it.
        Both are called from other threads."""
        self._leave, self._let_go = leave, let_go
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def _watch(self) -> None:
        poll = select.poll()
        poll.register(self._tty, 0)  # poll reports a hang-up without being asked for it
        poll.register(self._signals, select.POLLIN)
        asked, deadline = 0, 0.0
        while True:
            ready = dict(poll.poll(max(0.0, deadline - time.monotonic()) * 1000 if asked else None))
            if self._tty in ready:
                self._end(128 + signal.SIGHUP)
            if asked and time.monotonic() >= deadline:
                self._end(asked)
            if self._signals in ready:
                ending = [n for n in os.read(self._signals, 512) if n in self._ending]
                if ending and not asked:
                    asked, deadline = 128 + ending[0], time.monotonic() + PATIENCE_S
                    self._leave(asked)

    def _end(self, status: int) -> None:
        """End the process with *status* at once, without Textual, and restore the terminal if it still takes output."""
        last = threading.Thread(target=self._let_go, daemon=True)
        last.start()
        last.join(PATIENCE_S)
        with suppress(termios.error):
            termios.tcsetattr(self._tty, termios.TCSANOW, self._attributes)
        poll = select.poll()
        poll.register(self._tty, select.POLLOUT)
        # Writing to a terminal that takes no output would block here.
        if poll.poll(0) == [(self._tty, select.POLLOUT)]:
            with suppress(OSError):
                os.write(self._tty, RESTORE)
        os._exit(status)
