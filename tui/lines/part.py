"""Events on their way out of a command, and what is told of their stream at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ringtop.bpf import stream
from ringtop.bpf.event.batch import Batch, Index
from ringtop.tui.lines.values import Times, wall_ns


@dataclass(frozen=True, slots=True)
class Part:
    """Events of one program."""

    batch: Batch
    wall_offset_ns: int
    number: int = 0
    """The number of the stream that they come from, from 0, where several are read."""

    @property
    def wall_ns(self) -> Times:
        """The wall-clock times in ns since 1970, int64."""
        return wall_ns(self.batch, self.wall_offset_ns)

    def take(self, index: Index) -> Part:
        """The events that *index* selects."""
        return replace(self, batch=self.batch.take(index))


@dataclass(frozen=True, slots=True)
class Told:
    """What a stream has told of itself."""

    hello: stream.Hello | None
    ledger: dict[str, Any] = field(default_factory=dict)
    """As ``summarize`` returns it."""
    damage: str = ""
    """Why the stream was not read to its end; empty where it was."""


def first(parts: Sequence[Part], count: int | None) -> list[Part]:
    """The *count* earliest events of *parts*; all of them for None."""
    if count is None or sum(len(part.batch) for part in parts) <= count:
        return list(parts)
    times = np.concatenate([part.wall_ns for part in parts])
    wanted = np.zeros(len(times), np.bool_)
    wanted[np.argsort(times, kind="stable")[:count]] = True
    ends = np.cumsum([len(part.batch) for part in parts])[:-1]
    masks = np.split(wanted, ends)
    return [part.take(mask) for part, mask in zip(parts, masks, strict=True)]


def earlier(part: Part, wall_ns: int) -> tuple[Part, Part]:
    """The events of *part* before the time *wall_ns*, and the others."""
    before = part.wall_ns < wall_ns
    return part.take(before), part.take(~before)
