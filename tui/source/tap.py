"""The tap: it records the messages of a source while they are watched."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ringtop.bpf import stream
from ringtop.bpf.event.names import Names
from ringtop.tui.source.source import Item, Post, Source

if TYPE_CHECKING:
    from ringtop.tui.source.recording import Recorder


class Tap:
    """A source that passes on another source's messages, and on request writes them to a file."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.label = source.label
        self.live = source.live
        self._post: Post = lambda item: None
        self._lock = threading.Lock()
        self._recorder: Recorder | None = None
        self._hello: stream.Hello | None = None
        self._states: dict[str, stream.State] = {}
        self._names = Names()

    def start(self, post: Post) -> None:
        """Start the source."""
        self._post = post
        self.source.start(self._take)

    def send(self, control: stream.Control) -> None:
        """Pass *control* on to the source."""
        self.source.send(control)

    def stop(self) -> None:
        """End the source. Its last messages are still recorded; call ``stop_recording`` after them."""
        self.source.stop()

    @property
    def recording(self) -> Recorder | None:
        """The recording that is being written, if any."""
        return self._recorder

    def record(self, path: Path, overwrite: bool = False, create: Callable[[Path], BinaryIO] | None = None) -> Recorder:
        """Record to *path* from now on; *create* creates the file in place of this process. Raises OSError, or
        ValueError when recording already or before a ``Hello``."""
        from ringtop.tui.source.recording import Recorder

        with self._lock:
            if self._recorder is not None:
                raise ValueError(f"already recording to {self._recorder.path}")
            if self._hello is None:
                raise ValueError("there is nothing to record yet: the collector is still starting")
            recorder = Recorder(path, overwrite, create=create)
            # A reader needs these messages before the first event.
            recorder.write(self._hello)
            for state in self._states.values():
                recorder.write(state)
            for told in stream.cgroups(self._names):
                recorder.write(told)
            self._recorder = recorder
            return recorder

    def stop_recording(self) -> Path | None:
        """Finish the recording and return its path; None when there was none. Raises OSError."""
        with self._lock:
            recorder, self._recorder = self._recorder, None
            if recorder is None:
                return None
            recorder.close()
            return recorder.path

    def file_name(self, now: float | None = None) -> str:
        """Return a file name for a recording, from the host and the time *now* (seconds since 1970)."""
        from ringtop.tui.source.recording import file_name

        return file_name(self._hello.host if self._hello else "", now)

    def _take(self, item: Item) -> None:
        self._post(item)
        if not isinstance(item, stream.Message):
            return
        with self._lock:
            if isinstance(item, stream.Hello):
                self._hello = item
                self._states.clear()
            elif isinstance(item, stream.State):
                self._states[item.program] = item
            elif isinstance(item, stream.Cgroups):
                stream.learn(item, self._names)
            if self._recorder is not None:
                self._write(self._recorder, item)

    def _write(self, recorder: Recorder, message: stream.Message) -> None:
        try:
            recorder.write(message)
        except OSError as e:
            self._recorder = None
            text = f"recording stopped: {recorder.path}: {e.strerror}; the part before that can be replayed"
            with contextlib.suppress(OSError):  # the same error again; the file is closed nevertheless
                recorder.close()
            self._post(stream.Notice("error", text))
