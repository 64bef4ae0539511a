"""Job control: Ctrl+Z gives the terminal back to the shell, ``fg`` takes it again."""

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
"""Programs that stop by themselves when what they run has stopped."""


class Job:
    """Of *app*. To be made in its event loop, when Textual has set its own handlers, which these replace: Textual takes
    any SIGCONT for its own, reads the keyboard twice from then on, and does not find back to how the terminal was."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._tty = sys.__stdin__.fileno() if sys.__stdin__ else 0
        self._away = False
        loop = asyncio.get_running_loop()
        # Not in the handler: it may have interrupted the very writing that it would wait for.
        signal.signal(signal.SIGTSTP, lambda *_: loop.call_soon_threadsafe(self._stop))
        signal.signal(signal.SIGCONT, lambda *_: self._away or loop.call_soon_threadsafe(self._come_back))

    def suspend(self) -> str:
        """Stop, and whoever waits for this process in its process group, such as make. Why that cannot be, or empty."""
        leader = os.getpgrp()
        try:
            os.kill(leader, 0)
        except PermissionError:
            name = Path(f"/proc/{leader}/comm").read_text().strip()
            if name not in _WAITS:
                return f"{name}, which runs this, is not ringtop's to stop: the shell would wait for it"
        os.kill(0, signal.SIGTSTP)
        return ""

    def _stop(self) -> None:
        self._leave(stop=True)

    def _come_back(self) -> None:
        """Somebody stopped this process without asking; the shell has set the terminal to its liking since."""
        self._leave(stop=False)

    def _leave(self, stop: bool) -> None:
        self._away = True
        try:
            with self._app.suspend():
                if stop:
                    _stop()
                while self._in_background():
                    _stop()
                    time.sleep(_LOOKS_S)  # where there is no shell to come back from, the kernel stops nothing
        finally:
            self._away = False

    def _in_background(self) -> bool:
        try:
            return os.tcgetpgrp(self._tty) != os.getpgrp()
        except OSError:  # not the controlling terminal, or gone: not for job control
            return False


def _stop() -> None:
    """As the kernel does it by default: not at all where nobody could make it go on."""
    ours = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTSTP)
    signal.signal(signal.SIGTSTP, ours)
