"""The facts that a verdict is made from: how rows stand, which are marked, which events were lost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ringtop.tui.text.text import visible
from ringtop.tui.top.losses import Loss
from ringtop.tui.top.marks import Marks
from ringtop.tui.top.standing import Standing


@dataclass(frozen=True)
class Case:
    """The facts on one program, or on all, in one window."""

    standing: Standing
    marks: Marks
    losses: list[Loss]
    """Losses in the window."""
    last_ns: int | None
    """Time of the newest event, inside the window or not; None before the first event."""
    wall_offset_ns: int

    @cached_property
    def lost(self) -> int:
        """Events lost in the window."""
        return sum(loss.events for loss in self.losses)

    @cached_property
    def happened(self) -> NDArray[np.int64]:
        """Events of each row without searched tries."""
        return self.standing.rows.happened

    @cached_property
    def whole(self) -> int:
        """All events without searched tries, including events in no row."""
        return int(self.happened.sum() + self.standing.others.happened)

    def at_least(self, part: int, whole: int) -> float:
        """The least share that *part* can be of *whole*: all lost events are counted into the whole alone."""
        return part / max(whole + self.lost, 1)

    def name(self, row: int) -> str:
        """The key of *row* in words, as safe text."""
        parts = zip(self.standing.fold.key.parts, self.label(row), strict=True)
        return " ".join(("in " if part.name.startswith("dir") else "") + visible(label) for part, label in parts)

    def label(self, row: int) -> list[bytes]:
        """The labels of the parts of the key of *row*, as raw bytes."""
        return self.standing.fold.table.labels[row].split(b"\0")

    def common(self, part: str, row: int) -> bytes:
        """The most frequent culprit, error or parent of *row*, as raw bytes; empty when there is none."""
        if part not in self.standing.fold.commons:
            return b""
        number, times = self.standing.common(part)
        return self.standing.fold.commons[part].label(int(number[row])) if times[row] else b""

    def most_common(self, part: str, row: int) -> str:
        """The most frequent culprit, error or parent of *row*, as safe text."""
        return visible(self.common(part, row))


def at_least(part: float) -> str:
    """A share in percent, rounded down so that it never claims too much: 62.6 % is '62%'."""
    return f"{int(100 * part)}%"
