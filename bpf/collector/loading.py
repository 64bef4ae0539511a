"""Loads a program in a thread of its own: compiling takes half a minute on a slow machine, and the collector goes on
reading control messages meanwhile."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ringtop.bpf.collector.tracer import Tracer


class Loading:
    """Runs *start*, which loads and attaches a program, in a thread."""

    def __init__(self, start: Callable[[], Tracer]) -> None:
        self._start = start
        self.over_fd = os.eventfd(0, os.EFD_CLOEXEC)
        """Becomes readable once the program runs, or has failed."""
        self._tracer: Tracer | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="loading", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._tracer = self._start()
        except Exception as e:
            self._error = e
        finally:
            os.eventfd_write(self.over_fd, 1)

    def result(self) -> Tracer:
        """Wait for the program to run, and return its tracer. Raises the exception that *start* raised."""
        self._thread.join()
        os.close(self.over_fd)
        if self._error is not None:
            raise self._error
        assert self._tracer is not None
        return self._tracer


@contextmanager
def scratch() -> Iterator[None]:
    """Temporary files are made in a folder that is removed at the end, even those of a compiler that is still at
    work."""
    try:
        made = tempfile.TemporaryDirectory(prefix="ringtop-")
    except OSError:  # objects need none, and a compiler that does will say so
        yield
        return
    with made as folder:
        place = Path(folder, "used")
        place.mkdir()
        tempfile.tempdir = str(place)
        try:
            yield
        finally:
            tempfile.tempdir = None
            place.rename(Path(folder, "left"))  # a compiler that still writes does not find it: it can be removed
