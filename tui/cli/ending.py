"""What ends a command that has no screen: a signal, or that nobody can read any more what it writes."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable

_GONE = select.POLLERR | select.POLLHUP


def when_told(act: Callable[[], None]) -> None:
    """*act* on the signals that ask to end; SIGHUP only where ``nohup`` has not said that it means nothing."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda *_: act())


def when_unheard(fd: int, act: Callable[[], None]) -> None:
    """*act*, in a thread of its own, once the reader of *fd* is gone. Found out without writing: a connection that is
    lost is not told otherwise, and there may be nothing to write for hours."""

    def wait() -> None:
        if _gone(fd, None):
            for said in (1, 2):
                if _gone(said, 0):
                    os.dup2(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC), said)
            act()

    threading.Thread(target=wait, name="unheard", daemon=True).start()


def _gone(fd: int, timeout: int | None) -> bool:
    """Whether nobody reads it; a file has no reader to lose."""
    poll = select.poll()
    poll.register(fd, 0)  # what is asked here is told unasked
    return any(event & _GONE for _, event in poll.poll(timeout))
