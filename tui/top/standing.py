"""How all rows of a fold stand in a window: what they are ranked and judged by, for all of them at once."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.top.fold import Fold
from ringtop.tui.top.groups import Codes, Counts, Groups
from ringtop.tui.top.report import SPARK, START
from ringtop.tui.top.slots import SECOND, Past, begin

_SPARK_SECONDS = 60 // SPARK
_QUANTILES = (0.5, 0.99)


class Standing:
    """Of *fold* at *now_ns*, in *window*, since *start_ns* at the most."""

    def __init__(self, fold: Fold, window: str, now_ns: int, start_ns: int) -> None:
        self.fold, self.window, self.now_ns = fold, window, now_ns
        self.size = len(fold.table)
        self._commons: dict[str, tuple[Codes, Counts]] = {}
        fold.slots.advance(now_ns // SECOND)
        self.past = fold.slots.read()
        self.since_ns = start_ns if window == START else max(start_ns, begin(window, now_ns) * SECOND)
        self.start_ns = start_ns
        table = fold.table
        if window == START:
            self.sums, self.others = table.sums[:, : self.size], table.others
            self.peaks = table.about["peak"][: self.size]
            self.cut = 0
        else:
            second = begin(window, now_ns)
            self.sums, self.others, self.peaks = self.over(second)
            self.cut = fold.slots.error(second)

    def over(self, second: int) -> tuple[Counts, Counts, Counts]:
        """Sums of all rows since *second*, those of others, and the rows' longest waits."""
        past = self.past.since(second)
        groups = Groups(past.codes + 1, self.size + 1)
        sums = np.zeros((len(past.sums), self.size + 1), np.int64)
        peaks = np.zeros(self.size + 1, np.int64)
        for out, values in zip(sums, past.sums, strict=True):
            out[groups.codes] = groups.sum(values)
        peaks[groups.codes] = groups.largest(past.peaks)
        return sums[:, 1:], sums[:, 0], peaks[1:]

    @cached_property
    def now(self) -> Counts:
        """Sums of the last ten seconds."""
        return self.over(begin("10s", self.now_ns))[0]

    @cached_property
    def minute(self) -> tuple[Counts, Counts]:
        """Sums and longest waits of the last minute."""
        sums, _, peaks = self.over(begin("1min", self.now_ns))
        return sums, peaks

    @cached_property
    def before(self) -> Counts:
        """Sums of the last five minutes, and what has gone by of ten seconds."""
        return self.over(begin("5min", self.now_ns))[0]

    def seconds(self, window: str) -> float:
        """How long *window* has been: as long as it is, but for what was before the start."""
        since = max(begin(window, self.now_ns) * SECOND, self.start_ns)
        return max((self.now_ns - since) / SECOND, 1.0)

    # Rows, by measure. An array of one value a row.

    def done(self, sums: Counts | None = None) -> Counts:
        """Events neither failed nor searched."""
        found: Counts = (self.sums if sums is None else sums)[: len(self.fold.measures.done)].sum(axis=0)
        return found

    @property
    def failed(self) -> Counts:
        """Events that failed."""
        return self.sum(self.fold.measures.outcomes - 2)

    @property
    def searched(self) -> Counts:
        """Events that were searched."""
        return self.sum(self.fold.measures.outcomes - 1)

    @property
    def waited(self) -> Counts:
        """Time waited, ns."""
        return self.sum(-2)

    @property
    def preempted(self) -> Counts:
        """Waits of preempted tasks."""
        return self.sum(-1)

    def sum(self, at: int) -> Counts:
        """One of the sums."""
        found: Counts = self.sums[at]
        return found

    def happened(self, sums: Counts | None = None) -> Counts:
        """Events that were not searched."""
        found: Counts = (self.sums if sums is None else sums)[: self.fold.measures.outcomes - 1].sum(axis=0)
        return found

    def events(self) -> Counts:
        """All events."""
        found: Counts = self.sums[: self.fold.measures.outcomes].sum(axis=0)
        return found

    def weight(self) -> Counts:
        """What a row's share is of: time waited, or events that were not searched."""
        return self.waited if self.by_time else self.happened()

    @cached_property
    def whole_weight(self) -> int:
        """What all shares are of."""
        others = self.others[-2] if self.by_time else self.others[: self.fold.measures.outcomes - 1].sum()
        return int(self.weight().sum() + others)

    def common(self, part: str) -> tuple[Codes, Counts]:
        """The commonest culprit, error or parent of each row: its number, and how often since the start."""
        if part not in self._commons:
            self._commons[part] = self.fold.commons[part].most(self.size)
        return self._commons[part]

    @property
    def by_time(self) -> bool:
        """Whether shares are of time waited."""
        return self.fold.measures.waits and not self.fold.measures.across

    @cached_property
    def quantiles(self) -> NDArray[np.int64]:
        """Half of the waits, and 99 %, did not exceed these; shape (2, rows)."""
        waits = self.fold.waits
        if waits is None:
            return np.zeros((2, self.size), np.int64)
        since = None if self.window == START else begin(self.window, self.now_ns) // 10 * 10
        longest = self.fold.table.about["peak"][: self.size]
        found: NDArray[np.int64] = np.minimum(waits.quantiles(_QUANTILES, self.size, since), longest)
        return found

    def value(self, sort: str) -> NDArray[np.float64]:
        """What rows are ranked by: a column's name. Raises ValueError."""
        about = self.fold.table.about[: self.size]
        match sort:
            case "count" | "events":
                found: NDArray[np.generic] = self.done() if sort == "count" else self.events()
            case "rate":
                found = self.happened(self.now)
            case "share":
                found = self.weight()
            case "failed":
                found = self.failed
            case "search":
                found = self.searched
            case "total":
                found = self.waited
            case "max":
                found = self.peaks
            case "p50" | "p99":
                found = self.quantiles[int(sort == "p99")]
            case "preempted":
                found = self.preempted
            case "first" | "last":
                found = about[sort]
            case _:
                found = self.sums[[SCHEMAS[program].done for program in self.fold.measures.done].index(sort)]
        return found.astype(np.float64)

    def spark(self, rows: Codes | None = None) -> Counts:
        """Events of *rows*, or of all and others, in the last minute, shape (rows, SPARK) or (SPARK,)."""
        newest = self.now_ns // SECOND
        past: Past = self.past.since(newest - 59)
        age = np.minimum((newest - past.seconds) // _SPARK_SECONDS, SPARK - 1)
        events = past.sums[: self.fold.measures.outcomes - 1].sum(axis=0)
        if rows is None:
            return np.bincount(age, events, SPARK).astype(np.int64)[::-1]
        place = np.full(self.size + 1, -1)
        place[rows] = np.arange(len(rows))
        at = place[past.codes]
        kept = at >= 0
        found = np.bincount(at[kept] * SPARK + age[kept], events[kept], len(rows) * SPARK)
        return found.astype(np.int64).reshape(len(rows), SPARK)[:, ::-1]
