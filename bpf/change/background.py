"""Slow kernel calls run in a thread of their own, so that events are read meanwhile: such a call waits until every CPU
has passed a quiescent state."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Background:
    """Runs *work* in a thread of its own. The work should do little but system calls."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work()
        except Exception as e:
            self._error = e

    def wait(self, seconds: float) -> bool:
        """Whether the work ends within so many *seconds*."""
        self._thread.join(seconds)
        return self.done

    @property
    def done(self) -> bool:
        """Whether the work has ended."""
        return not self._thread.is_alive()

    @property
    def failed(self) -> bool:
        """Whether the work has ended with an error."""
        return self.done and self._error is not None

    def result(self) -> None:
        """Wait for the work to end. Raises the exception that ended it."""
        self._thread.join()
        if self._error:
            raise self._error
