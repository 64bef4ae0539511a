"""The two things that end a command without a screen: a signal, or the loss of the reader of its output."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable

from ringtop.bpf.common.signals import ENDING

_GONE = select.POLLERR | select.POLLHUP


def when_told(act: Callable[[], None]) -> None:
    """Call *act* on each signal that asks a process to end; on SIGHUP unless it is ignored, as ``nohup`` makes it. One
    that waited since the collector was started counts."""
    for number in ENDING:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda *_: act())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def when_unheard(fd: int, act: Callable[[], None]) -> None:
    """Call *act*, in a thread of its own, once the reader of *fd* is gone. The thread polls instead of writing, because
    only a write would otherwise show a lost connection, and there may be nothing to write for hours."""

    def wait() -> None:
        if _gone(fd, None):
            for output in (1, 2):
                if _gone(output, 0):
                    os.dup2(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC), output)
            act()

    threading.Thread(target=wait, name="unheard", daemon=True).start()


def _gone(fd: int, timeout: int | None) -> bool:
    """Whether the reader of *fd* is gone, waiting up to *timeout* ms (None: forever). A file has no reader to lose."""
    poll = select.poll()
    poll.register(fd, 0)  # poll reports POLLERR and POLLHUP without being asked
    return any(event & _GONE for _, event in poll.poll(timeout))
