"""Job control: Ctrl+Z gives the terminal back to the shell, and ``fg`` takes it again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from textual.app import App

_LOOKS_S = 0.1
_WAITS = {"sudo", "su", "doas"}
"""Programs that stop by themselves once their child has stopped."""


class Job:
    """Job control for *app*. Make it in the app's event loop, after Textual has set its handlers, which it replaces.

    Textual's handlers take any SIGCONT as their own: Textual then reads the keyboard twice and does not restore the
    terminal.
    """

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._tty = sys.__stdin__.fileno() if sys.__stdin__ else 0
        self._away = False
        loop = asyncio.get_running_loop()
        # Not in the handler itself: it may have interrupted the very write that it would wait for.
        signal.signal(signal.SIGTSTP, lambda *_: loop.call_soon_threadsafe(self._stop))
        signal.signal(signal.SIGCONT, lambda *_: self._away or loop.call_soon_threadsafe(self._come_back))

    def suspend(self) -> str:
        """Stop this process and its process group, such as a make that waits for it.

        Returns the reason when that is impossible, else an empty text.
        """
        leader = os.getpgrp()
        try:
            os.kill(leader, 0)
        except PermissionError:
            name = Path(f"/proc/{leader}/comm").read_text().strip()
            if name not in _WAITS:
                return f"ringtop may not suspend {name}, which started it, so the shell would not come back"
        os.kill(0, signal.SIGTSTP)
        return ""

    def _stop(self) -> None:
        self._leave(stop=True)

    def _come_back(self) -> None:
        """Recover after another process stopped this one: the shell has changed the terminal's settings since."""
        self._leave(stop=False)

    def _leave(self, stop: bool) -> None:
        self._away = True
        try:
            with self._app.suspend():
                if stop:
                    _stop()
                while self._in_background():
                    _stop()
                    time.sleep(_LOOKS_S)  # without a shell that could continue it, the kernel does not stop the process
        finally:
            self._away = False

    def _in_background(self) -> bool:
        try:
            return os.tcgetpgrp(self._tty) != os.getpgrp()
        except OSError:  # not the controlling terminal, or gone: there is no job control
            return False


def _stop() -> None:
    """Stop by the kernel's default action, which does nothing when no process could continue this one."""
    ours = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTSTP)
    signal.signal(signal.SIGTSTP, ours)
