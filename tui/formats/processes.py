"""The execs of processes, until their ends are known."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from ringtop.tui.formats.packets import Slice

_HELD = 1 << 16
"""Execs that are held. The oldest of more become instants: their ends are not found any more."""
_SAME_NS = 10_000_000
"""The begin of a process as its end tells it, and as its exec was seen, differ by less."""

Write = Callable[[Slice], None]


class Processes:
    """Joins the execs of a stream with the ends of their processes, where *ends* are told. What becomes of an exec is
    written by *instant* or *stretch*."""

    def __init__(self, ends: bool, instant: Write, stretch: Write) -> None:
        self._ends, self._instant, self._stretch = ends, instant, stretch
        self._execs: OrderedDict[int, Slice] = OrderedDict()

    def began(self, one: Slice) -> None:
        """A process became another program: its exec before, if there was one, has no end of its own."""
        pid = one.fields["pid"]
        if not self._ends or pid is None:
            self._instant(one)
            return
        if (before := self._execs.pop(pid, None)) is not None:
            self._instant(before)
        self._execs[pid] = one
        if len(self._execs) > _HELD:
            self._instant(self._execs.popitem(last=False)[1])

    def ended(self, one: Slice) -> None:
        """A process ended, which began with the slice."""
        began: Slice | None = self._execs.pop(one.fields["pid"], None)
        if began is None:
            self._stretch(one)
        elif abs(began.end - one.begin) < _SAME_NS:
            self._stretch(replace(began, end=one.end, fields={**one.fields, **began.fields}))
        else:  # the end of a process before with that id was lost
            self._instant(began)
            self._stretch(one)

    def close(self) -> None:
        """No more ends are known."""
        for one in self._execs.values():
            self._instant(one)
        self._execs.clear()
