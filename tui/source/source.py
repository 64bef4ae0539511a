"""The interface of a source of messages: a live collector, a recording, or an artificial feed in the tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ringtop.bpf import stream

SILENCE_S = 2.0
"""A collector sends a message every second: after so many seconds without one, it hangs or was stopped."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The stream broke off without an ``End``: the collector died, or the link to it did."""

    reason: str
    """How it broke off: 'exit status 1', 'killed by signal 9', 'connection closed'."""
    detail: str = ""
    """The last output of the collector; untrusted text."""
    again_s: float = 0.0
    """The seconds after which the source tries again by itself; 0 where it does not."""


@dataclass(frozen=True, slots=True)
class Rewound:
    """A recording went back. ``Hello`` and all later messages come again, so the reader must discard its history."""


Item = stream.AnyMessage | Lost | Rewound
Post = Callable[[Item], None]
"""Takes one message. It may be called from any thread and never waits for the screen."""


class Source(Protocol):
    """A sequence of messages, which a thread of its own reads."""

    label: str
    """The link in a word or two: 'local', 'ssh root@web-1', 'replay incident.rt'."""
    live: bool
    """Whether the events happen now, on ``Hello.host``; False for a recording."""

    def start(self, post: Post) -> None:
        """Begin to hand every message to *post*, in order, from a thread. May be called again after ``stop``."""

    def send(self, control: stream.Control) -> None:
        """Pass *control* to the collector without waiting. A source that takes no commands (a recording) ignores it."""

    def stop(self) -> None:
        """Detach and join the thread. Called once per ``start``; nothing is posted afterwards."""
