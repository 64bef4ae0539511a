"""A program on a pty whose terminal is at the end of a thin line, with room for bytes on the way as ssh has it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections import deque
from collections.abc import Callable, Sequence

from tests.link.emulator import Emulator

TURN_S = 0.005
CHUNK = 4096


class Wire:
    """*command* on a terminal that takes *rate* bytes a second (0: any), *delay* seconds later each way.

    Up to *room* bytes wait on the line, out of the program's hands; none: only what the kernel keeps for a pty.
    """

    def __init__(
        self,
        command: Sequence[str],
        rate: float = 0,
        room: int = 0,
        delay: float = 0.0,
        size: tuple[int, int] = (120, 40),
        answers: bool = True,
    ) -> None:
        self.rate, self.room, self.delay = rate, room, delay
        self.stalled = False
        self.bytes = 0
        """Taken from the program."""
        self.shown = 0
        """Seen by the terminal."""
        self.emulator = Emulator(*size, self._answer if answers else lambda data: None)
        self.leader, follower = pty.openpty()
        fcntl.ioctl(self.leader, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        keep = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLORTERM", "TERM_PROGRAM", "LC_ALL")}
        env = {**keep, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "TZ": "UTC"}
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *command], stdin=follower, stdout=follower, stderr=follower, env=env
        )
        os.close(follower)
        self._line: deque[tuple[float, bytes]] = deque()
        self._waiting = 0
        self._replies: deque[tuple[float, bytes]] = deque()
        self._credit = 0.0
        self._then = time.monotonic()

    def _answer(self, data: bytes) -> None:
        self._replies.append((time.monotonic() + self.delay, data))

    def type(self, keys: str) -> None:
        """Press *keys*."""
        self._answer(keys.encode())

    def run(self, seconds: float, look: Callable[[], object] = lambda: None) -> None:
        """Let bytes pass; *look* at the screen after each turn that changed it."""
        self.until(lambda: False, seconds, look)

    def until(self, happened: Callable[[], bool], seconds: float, look: Callable[[], object] = lambda: None) -> bool:
        """The same until something *happened*, at most for so long; whether it did."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._turn():
                look()
            if happened():
                return True
        return happened()

    def _turn(self) -> bool:
        now = time.monotonic()
        budget = self.rate * 0.02 if self.rate else 1 << 20  # a late turn may catch up this much
        self._credit = min(budget, self._credit + (now - self._then) * (self.rate or 1e9))
        self._then = now
        if not self.stalled or self._waiting < self.room:
            self._take(now)
        before = self.shown
        while not self.stalled and self._line and self._line[0][0] <= now and self._credit >= 1:
            at, data = self._line.popleft()
            part = data[: int(self._credit)]
            if len(part) < len(data):
                self._line.appendleft((at, data[len(part) :]))
            self._credit -= len(part)
            self._waiting -= len(part)
            self.shown += len(part)
            self.emulator.feed(part)
        while self._replies and self._replies[0][0] <= now:
            os.write(self.leader, self._replies.popleft()[1])
        return self.shown != before

    def _take(self, now: float) -> None:
        room = max(self.room, 0 if self.stalled else int(self._credit)) - self._waiting
        if select.select([self.leader], [], [], TURN_S)[0] and room > 0:
            try:
                data = os.read(self.leader, min(room, CHUNK))
            except OSError:
                return  # the program is gone
            self.bytes += len(data)
            self._waiting += len(data)
            self._line.append((now + self.delay, data))
        elif room <= 0:
            time.sleep(TURN_S)

    def close(self) -> None:
        """Leave nothing."""
        self.process.kill()
        self.process.wait()
        os.close(self.leader)
