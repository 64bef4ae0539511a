"""What takes the kernel a while (it waits until every CPU has passed a quiet moment), beside the reading of events."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Background:
    """Runs *work* in a thread of its own, which should do little but system calls."""

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

    @property
    def done(self) -> bool:
        """It has ended."""
        return not self._thread.is_alive()

    @property
    def failed(self) -> bool:
        """It has ended with an error."""
        return self.done and self._error is not None

    def result(self) -> None:
        """Wait for its end. Raises what it ended with."""
        self._thread.join()
        if self._error:
            raise self._error
