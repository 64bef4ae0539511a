"""Control messages from the viewer: they are read with bounds, and obeyed one change of a program at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping

from ringtop.bpf import stream
from ringtop.bpf.collector.following import Following
from ringtop.bpf.collector.tracer import Tracer
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.filter import FilterError

LIMIT = 64 << 10
"""Length of the longest control message, in bytes."""
MOST_CONTROLS = 200
"""Most control messages that are obeyed in a second."""
MOST_WAITING = 64
"""Most changes that wait for others to end."""

_Change = stream.SetCapture | stream.Follow | stream.Retune | stream.Compare


class Controls:
    """The control messages that arrive on *fd* for *tracers*, by program. *put* gets the answers, *stop* the reason why
    the collector is to end, *measure* whether costs are to be told. *following* knows whose events are wanted."""

    def __init__(
        self,
        fd: int,
        tracers: Mapping[str, Tracer],
        put: Callable[[stream.Message], None],
        stop: Callable[[str], None],
        measure: Callable[[bool], None],
        following: Following,
    ) -> None:
        self.fd = fd
        self._tracers, self._put, self._stop, self._measure = tracers, put, stop, measure
        self._following = following
        self._frames = stream.Frames(magic=False, limit=LIMIT)
        self._count = 0
        """Messages read in this second."""
        self._waiting: deque[tuple[str, _Change]] = deque()
        self._early: list[stream.Control] | None = []
        """Messages to obey once the programs have been loaded; None when they have."""

    def new_second(self) -> None:
        """Begin a second, in which ``MOST_CONTROLS`` messages are obeyed again."""
        self._count = 0

    def read(self) -> None:
        """Read the messages that have arrived, and obey them."""
        data = os.read(self.fd, LIMIT)
        if not data:
            self._stop("the viewer is gone")
            return
        try:
            for body in self._frames.feed(data):
                self._hear(body)
        except stream.StreamError as e:
            self._put(stream.Notice("error", str(e)))
            self._stop("a control message could not be read")

    def _hear(self, body: bytes) -> None:
        self._count += 1
        heard: stream.Control | stream.Notice
        try:
            heard = stream.decode_control(body)
        except stream.StreamError as e:
            heard = stream.Notice("error", str(e))
        if self._count > MOST_CONTROLS and not isinstance(heard, stream.Stop):
            if self._count == MOST_CONTROLS + 1:
                text = f"more than {MOST_CONTROLS} control messages came in a second: the rest is ignored"
                self._put(stream.Notice("error", text))
        elif isinstance(heard, stream.Notice):
            self._put(heard)
        else:
            self._obey(heard)

    def _obey(self, message: stream.Control) -> None:
        if isinstance(message, stream.Stop):
            self._stop("stopped")
            return
        if self._early is not None:
            self._early.append(message)
            return
        if isinstance(message, stream.Measure):
            self._measure(message.on)
            return
        programs: list[str] = []
        if isinstance(message, stream.Follow):
            try:
                if message.cgroup:
                    self._following.follow_group(lambda find: find.group(message.cgroup))
                else:
                    self._following.follow(message.pids)
            except CannotTrace as e:
                self._put(stream.Notice("error", str(e)))
                return
        else:
            programs = message.programs
        for name in programs or list(self._tracers):
            if name not in self._tracers:
                self._put(stream.Notice("error", f"{name!r} is not running"))
            elif len(self._waiting) >= MOST_WAITING:
                self._put(stream.Notice("error", "too many changes are waiting: try again in a moment", name))
            else:
                self._waiting.append((name, message))
        self.obey_waiting()

    def obey_early(self) -> None:
        """Obey the messages that came while the programs were loaded; later ones are obeyed at once."""
        early, self._early = self._early or [], None
        for message in early:
            self._obey(message)

    def obey_waiting(self) -> None:
        """Begin the changes that waited for another change of their program which has ended, in the order they came."""
        for _ in range(len(self._waiting)):
            name, message = self._waiting.popleft()
            if self._tracers[name].changes.changing:
                self._waiting.append((name, message))
            else:
                self._begin(self._tracers[name], message)

    def _begin(self, tracer: Tracer, message: _Change) -> None:
        try:
            match message:
                case stream.SetCapture(text):
                    tracer.set_capture(text)
                case stream.Follow():
                    tracer.set_scope(self._following.scope)
                case stream.Retune():
                    if tracer.changes.retune(message):
                        return  # the state is sent when it has changed
                case stream.Compare(seconds):
                    tracer.changes.compare(seconds)
        except (FilterError, ValueError, CannotTrace) as e:
            self._put(stream.Notice("error", str(e), tracer.program))
            return
        self._put(tracer.state)
