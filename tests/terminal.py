"""A terminal for a program under test: a pty of its own, all that was written to it, and what it is set to."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import threading
from collections.abc import Sequence
from typing import Any

from tests.processes import eventually
from tests.screen import Screen

ESCAPE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])")
"""Sequences that set colours, places and modes (CSI), titles (OSC), and the short ones."""


class Terminal:
    """A pty with *command* on it as the leader of a session of its own."""

    def __init__(self, command: Sequence[str], rows: int = 24, columns: int = 100, **environment: str) -> None:
        self.leader, follower = pty.openpty()
        self._screen = Screen(rows, columns)
        self._lock = threading.Lock()
        self._size(rows, columns)
        self.before = self.attributes
        """What it was set to before the program came."""
        keep = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLORTERM", "TERM_PROGRAM", "LC_ALL")}
        env = {**keep, "TERM": "xterm-256color", "LANG": "C.UTF-8", **environment}
        # setsid of util-linux makes the terminal the controlling one.
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *command], stdin=follower, stdout=follower, stderr=follower, env=env
        )
        os.close(follower)
        self._written = bytearray()
        self._stop, self._stopped = os.pipe()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        # Not in a mere read: that would keep the terminal open however often it is closed.
        while self._stop not in select.select([self.leader, self._stop], [], [])[0]:
            try:
                data = os.read(self.leader, 1 << 16)
            except OSError:
                return  # nobody has the other end open any more
            with self._lock:
                self._written += data
                self._screen.feed(data)

    @property
    def attributes(self) -> list[Any]:
        """As tcgetattr tells them."""
        return termios.tcgetattr(self.leader)

    @property
    def written(self) -> bytes:
        """All that was written so far."""
        return bytes(self._written)

    @property
    def text(self) -> str:
        """The same without escape sequences."""
        return ESCAPE.sub(b"", self.written).decode(errors="replace")

    @property
    def left(self) -> str:
        """What stands on the terminal after the last screen of its own was left; all text when none was."""
        return ESCAPE.sub(b"", self.written.rpartition(b"\x1b[?1049l")[2]).decode(errors="replace")

    def saw(self, text: str, since: int = 0) -> bool:
        """Whether *text* gets written, after the first *since* bytes."""
        return eventually(lambda: text in ESCAPE.sub(b"", self.written[since:]).decode(errors="replace"))

    def shows(self, text: str, instead_of: str = "\0") -> bool:
        """Whether *text* gets to stand on the screen, however it was put together, and the other does not any more."""
        return eventually(lambda: text in self.screen and instead_of not in self.screen)

    @property
    def screen(self) -> str:
        """The text on it."""
        with self._lock:
            return self._screen.text

    def type(self, keys: str) -> None:
        """Press *keys*."""
        os.write(self.leader, keys.encode())

    def resize(self, rows: int, columns: int) -> None:
        """Change its size, of which the foreground is told by SIGWINCH."""
        with self._lock:
            self._screen.resize(rows, columns)
        self._size(rows, columns)

    def _size(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.leader, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def hang_up(self) -> None:
        """Go away, as a terminal window that is closed."""
        os.close(self._stopped)
        self._reader.join()
        os.close(self._stop)
        os.close(self.leader)
        self.leader = -1

    def wait(self) -> int:
        """The exit status, once the program has ended and all it wrote was read."""
        status = self.process.wait(120)
        self._reader.join(60)
        return status

    def close(self) -> None:
        """Leave nothing."""
        self.process.kill()
        self.process.wait()
        if self.leader >= 0:
            self.hang_up()
