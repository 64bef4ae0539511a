"""The way to the terminal: how much is on it, how fast it is, and how far behind it leaves the screen."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

LATE_S = 0.1
"""So much later than the quickest answer ever, one is late, and frames wait: what has left cannot be taken back."""
PATIENCE_S = 10.0
"""A terminal that answers nothing for so long may have lost the question."""
SLOW_S = 0.2
"""A frame that waited longer was held up."""
RECENT_S = 2.0
"""A limit is told for so long."""
SILENT_S = 1.0
"""A terminal that has not answered so long after the first frame never will."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A frame on its way."""

    born: float
    """When the first of its changes was drawn."""
    left: float
    bytes: int


class Link:
    """Frames go out; the terminal answers each one when it has shown it, if it answers at all."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.stale = False
        """The terminal may show something else than it was sent; set from signal handlers, so no lock is taken."""
        self._answers = False
        self._asked: deque[float] = deque()
        """When those questions left that have no answer yet."""
        self._first: float | None = None
        """When the first one left."""
        self._born: float | None = None
        """When the first change was drawn that has not left yet."""
        self._sent: deque[Sent] = deque()
        self._trip = float("inf")
        """Seconds that the quickest answer took."""
        self._heard = 0.0
        self._pace = 0.0
        """Seconds a byte takes."""
        self._lag = 0.0
        self._limited = float("-inf")

    @property
    def rate(self) -> float:
        """Bytes a second, as lately seen."""
        return 1 / self._pace if self._pace else 0.0

    @property
    def settled(self) -> bool:
        """No answer is to come."""
        if self._answers or self._first is None:
            return not self._asked
        return self.clock() - self._first > SILENT_S

    @property
    def lag(self) -> float:
        """Age in seconds of the oldest change that is not on the screen, or was not until the last frame arrived."""
        sent = tuple(self._sent)  # at once: other threads work on it
        born = sent[0].born if sent else self._born
        return max(self._lag, self.clock() - born if born is not None else 0.0)

    @property
    def limits(self) -> bool:
        """A frame was held up, lately, and the screen is still behind."""
        return self.clock() - self._limited < RECENT_S and self.lag > SLOW_S

    def free(self) -> bool:
        """Whether another frame may leave."""
        now = self.clock()
        if self._sent and now - self._sent[0].left > self._trip + LATE_S:
            if now - max(self._heard, self._sent[-1].left) < PATIENCE_S:
                return False
            self._sent.clear()
            self._asked.clear()
        return True

    def draw(self) -> None:
        """Something new is to be seen."""
        if self._born is None:
            self._born = self.clock()

    def ask(self) -> None:
        """The terminal is about to be asked for an answer."""
        self._asked.append(self.clock())
        self._first = self._asked[-1] if self._first is None else self._first

    def leave(self, size: int) -> None:
        """All that was drawn is about to be written, in *size* bytes that end with a question."""
        now = self.clock()
        born, self._born = now if self._born is None else self._born, None
        if now - born > SLOW_S:
            self._limited = now
        if size:
            self._sent.append(Sent(born, now, size))
            self.ask()

    def written(self) -> None:
        """The last frame is out of our hands; of a terminal that never answers, no more can be known."""
        now = self.clock()
        if self._sent and now - self._sent[-1].left > SLOW_S:
            self._limited = now
        if self._sent and not self._answers:
            self._arrived(0.0)

    def answer(self) -> None:
        """All that was written before the oldest question is on the screen."""
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
