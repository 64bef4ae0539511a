"""The way to the terminal: how much is on it, how fast it is, and how far behind it leaves the screen."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

LATE_S = 0.1
"""An answer this many seconds later than the quickest one is late. Frames then wait, as none can be taken back."""
PATIENCE_S = 10.0
"""A terminal that has not answered for this many seconds may have lost the question."""
SLOW_S = 0.2
"""A frame that waited longer than this many seconds was held up."""
RECENT_S = 2.0
"""A limit is reported for this many seconds."""
SILENT_S = 1.0
"""A terminal without an answer this many seconds after the first question never answers."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A frame on its way to the terminal."""

    born: float
    """The time when the first of its changes was drawn."""
    left: float
    bytes: int


class Link:
    """Keeps track of frames: a terminal that answers at all answers each frame once it has shown it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.stale = False
        """Whether the terminal may show something other than what was sent; set by signal handlers, without a lock."""
        self.written_bytes = 0
        """Bytes that were written to the terminal, frames and all else."""
        self._answers = False
        self._asked: deque[float] = deque()
        """The times at which the unanswered questions were sent."""
        self._first: float | None = None
        """The time at which the first question was sent."""
        self._born: float | None = None
        """The time when the oldest change not yet sent was drawn; None when there is none."""
        self._sent: deque[Sent] = deque()
        self._trip = float("inf")
        """The time of the quickest answer, in seconds."""
        self._heard = 0.0
        self._pace = 0.0
        """The time that a byte takes, in seconds; a moving average."""
        self._lag = 0.0
        self._limited = float("-inf")

    @property
    def rate(self) -> float:
        """The recent speed of the link, in bytes a second; 0 while unknown."""
        return 1 / self._pace if self._pace else 0.0

    @property
    def trip(self) -> float:
        """The time of the quickest answer, in seconds; infinite while there is none."""
        return self._trip

    @property
    def settled(self) -> bool:
        """Whether no more answers are expected."""
        if self._answers or self._first is None:
            return not self._asked
        return self.clock() - self._first > SILENT_S

    @property
    def lag(self) -> float:
        """The age in seconds of the oldest change not yet on the screen, or its age when the last frame arrived."""
        sent = tuple(self._sent)  # copied in one step: other threads change it
        born = sent[0].born if sent else self._born
        return max(self._lag, self.clock() - born if born is not None else 0.0)

    @property
    def limits(self) -> bool:
        """Whether a frame was held up recently and the screen is still behind."""
        return self.clock() - self._limited < RECENT_S and self.lag > SLOW_S

    def free(self) -> bool:
        """Whether another frame may be sent."""
        now = self.clock()
        if self._sent and now - self._sent[0].left > self._trip + LATE_S:
            if now - max(self._heard, self._sent[-1].left) < PATIENCE_S:
                return False
            self._sent.clear()
            self._asked.clear()
        return True

    def draw(self) -> None:
        """Note that a change was drawn."""
        if self._born is None:
            self._born = self.clock()

    def ask(self) -> None:
        """Note that a question is about to be sent."""
        self._asked.append(self.clock())
        self._first = self._asked[-1] if self._first is None else self._first

    def leave(self, size: int) -> None:
        """Note that all changes are about to be written, as a frame of *size* bytes that ends with a question."""
        now = self.clock()
        born, self._born = now if self._born is None else self._born, None
        if now - born > SLOW_S:
            self._limited = now
        if size:
            self._sent.append(Sent(born, now, size))
            self.ask()

    def written(self) -> None:
        """Note that the last frame was written; for a terminal that never answers, it counts as shown."""
        now = self.clock()
        if self._sent and now - self._sent[-1].left > SLOW_S:
            self._limited = now
        if self._sent and not self._answers:
            self._arrived(0.0)

    def answer(self) -> None:
        """Take an answer: everything written before the oldest question is on the screen."""
        self._answers = True
        if self._asked:
            self._trip = min(self._trip, self.clock() - self._asked.popleft())
        while len(self._sent) > len(self._asked):
            self._arrived(self._trip)

    def _arrived(self, trip: float) -> None:
        frame, now = self._sent.popleft(), self.clock()
        took = now - max(frame.left + trip, self._heard)
        self._pace += (took / frame.bytes - self._pace) / 2
        self._heard, self._lag = now, now - frame.born
