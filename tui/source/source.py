"""Where messages come from: a live collector, a recording, or a made-up feed in the tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ringtop.bpf import stream


@dataclass(frozen=True, slots=True)
class Lost:
    """The stream broke off without an ``End``: the collector died, or the link to it did."""

    reason: str
    """'exit status 1', 'killed by signal 9', 'connection closed'."""
    detail: str = ""
    """What it printed last; untrusted text."""


@dataclass(frozen=True, slots=True)
class Rewound:
    """A recording went back: ``Hello`` and all that follows it come again, so what was kept must go first."""


Item = stream.AnyMessage | Lost | Rewound
Post = Callable[[Item], None]
"""Takes one message. Safe to call from any thread; never waits for the screen."""


class Source(Protocol):
    """A sequence of messages, taken by a thread of its own."""

    label: str
    """The link in a word or two: 'local', 'ssh root@web-1', 'replay incident.rt'."""
    live: bool
    """Events happen now, on ``Hello.host``; False for a recording."""

    def start(self, post: Post) -> None:
        """Begin: hand every message to *post*, in order, from a thread. Called again after ``stop`` to try anew."""

    def send(self, control: stream.Control) -> None:
        """Pass *control* to the collector. Never waits; what cannot take it (a recording) ignores it."""

    def stop(self) -> None:
        """End it: detach, join the thread. Called once per ``start``; nothing is posted afterwards."""
