"""When events of a program were lost, and how many were lost."""

from __future__ import annotations

from dataclasses import dataclass

from ringtop.tui.top.slots import SECOND

_MOST = 512
_APART_NS = 2 * SECOND
"""Losses less than this apart are counted as one, because ledgers come once a second."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Events that were lost within a short time."""

    events: int
    first_ns: int
    last_ns: int


class Losses:
    """The losses of one program, or of all."""

    def __init__(self) -> None:
        self.events = 0
        """All lost events."""
        self._found: list[Loss] = []

    def add(self, events: int, when_ns: int) -> None:
        """Record *events* that a ledger of *when_ns* reports as lost."""
        self.events += events
        last = self._found[-1] if self._found else None
        if last is not None and when_ns - last.last_ns < _APART_NS:
            self._found[-1] = Loss(last.events + events, last.first_ns, max(last.last_ns, when_ns))
        else:
            self._found = [*self._found[1 - _MOST :], Loss(events, when_ns, when_ns)]

    def since(self, since_ns: int) -> list[Loss]:
        """The losses that end at *since_ns* or later."""
        return [loss for loss in self._found if loss.last_ns >= since_ns]
