"""What a verdict is about: how rows stand, what is marked, what was lost."""

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
    """Of one program, or of all, in a window."""

    standing: Standing
    marks: Marks
    losses: list[Loss]
    """In the window."""
    last_ns: int | None
    """The newest event there ever was."""
    wall_offset_ns: int

    @cached_property
    def lost(self) -> int:
        """Events lost in the window."""
        return sum(loss.events for loss in self.losses)

    @cached_property
    def happened(self) -> NDArray[np.int64]:
        """Events of each row that were not searched."""
        return self.standing.rows.happened

    @cached_property
    def whole(self) -> int:
        """All events that were not searched, those in no row, too."""
        return int(self.happened.sum() + self.standing.others.happened)

    def at_least(self, part: int, whole: int) -> float:
        """What share *part* is of *whole*, however many of those that were lost belong to the whole alone."""
        return part / max(whole + self.lost, 1)

    def name(self, row: int) -> str:
        """What the key of *row* is called."""
        parts = zip(self.standing.fold.key.parts, self.label(row), strict=True)
        return " ".join(("in " if part.name.startswith("dir") else "") + visible(label) for part, label in parts)

    def label(self, row: int) -> list[bytes]:
        """What the parts of the key of *row* are called."""
        return self.standing.fold.table.labels[row].split(b"\0")

    def common(self, part: str, row: int) -> bytes:
        """The commonest culprit, error or parent of *row*; empty where there is none."""
        if part not in self.standing.fold.commons:
            return b""
        number, times = self.standing.common(part)
        return self.standing.fold.commons[part].label(int(number[row])) if times[row] else b""

    def told(self, part: str, row: int) -> str:
        """The same as safe text."""
        return visible(self.common(part, row))


def at_least(part: float) -> str:
    """Never more than there is: 62.6 % is '62%'."""
    return f"{int(100 * part)}%"
