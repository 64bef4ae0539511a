"""How all rows of a fold stand in a window: what they are ranked and judged by, for all of them at once."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.top.fold import Fold
from ringtop.tui.top.groups import Codes, Counts
from ringtop.tui.top.report import SPARK, START
from ringtop.tui.top.slots import SECOND, begin
from ringtop.tui.top.tally import Tally

_SPARK_SECONDS = 60 // SPARK
_QUANTILES = (0.5, 0.99)


class Standing:
    """Of *fold* at *now_ns*, in *window*, since *start_ns* at the most."""

    def __init__(self, fold: Fold, window: str, now_ns: int, start_ns: int) -> None:
        self.fold, self.window, self.now_ns, self.start_ns = fold, window, now_ns, start_ns
        self.measures, self.size = fold.measures, len(fold.table)
        self.second = now_ns // SECOND
        fold.windows.advance(self.second)
        fold.windows.flush()
        self._commons: dict[str, tuple[Codes, Counts]] = {}
        table = fold.table
        if window == START:
            self.since_ns = start_ns
            self.rows = Tally(self.measures, table.sums[:, : self.size])
            self.others = Tally(self.measures, table.others)
            self.peaks = table.about["peak"][: self.size]
            self.cut = 0
            """What any row may have had more, at most, because slots keep so many."""
        else:
            first = begin(window, self.second)
            self.since_ns = max(start_ns, first * SECOND)
            sums, others = fold.windows.sums(window, self.size)
            self.rows, self.others = Tally(self.measures, sums), Tally(self.measures, others)
            self.peaks = fold.windows.peaks(window, self.size)
            self.cut = fold.windows.slots.error(first)

    def over(self, window: str) -> Tally:
        """All rows in another window."""
        return Tally(self.measures, self.fold.windows.sums(window, self.size)[0])

    @cached_property
    def peaks_of_minute(self) -> Counts:
        """The rows' longest waits in the last minute."""
        return self.fold.windows.peaks("1min", self.size)

    def seconds(self, window: str) -> float:
        """How long *window* has been: as long as it is, but for what was before the start."""
        since = max(begin(window, self.second) * SECOND, self.start_ns)
        return max((self.now_ns - since) / SECOND, 1.0)

    @property
    def by_time(self) -> bool:
        """Whether shares are of time waited; else of events that were not searched."""
        return self.measures.waits and not self.measures.across

    @property
    def weight(self) -> Counts:
        """What a row's share is of."""
        return self.rows.of("waited") if self.by_time else self.rows.happened

    @cached_property
    def whole_weight(self) -> int:
        """What all shares are of."""
        others = self.others.of("waited") if self.by_time else self.others.happened
        return int(self.weight.sum() + others)

    @cached_property
    def events(self) -> int:
        """Of all rows and others."""
        return int(self.rows.events.sum() + self.others.events)

    @property
    def recent(self) -> int:
        """Events of all rows and others in the last ten seconds that were not searched."""
        rows, others = self.fold.windows.sums("10s", self.size)
        return int(Tally(self.measures, rows).happened.sum() + Tally(self.measures, others).happened)

    def common(self, part: str) -> tuple[Codes, Counts]:
        """The commonest culprit, error or parent of each row: its number, and how often since the start."""
        if part not in self._commons:
            self._commons[part] = self.fold.commons[part].most(self.size)
        return self._commons[part]

    @cached_property
    def quantiles(self) -> NDArray[np.int64]:
        """Half of the waits, and 99 %, did not exceed these; shape (2, rows)."""
        waits = self.fold.waits
        if waits is None:
            return np.zeros((2, self.size), np.int64)
        since = None if self.window == START else begin(self.window, self.second) // 10 * 10
        longest = self.fold.table.about["peak"][: self.size]
        found: NDArray[np.int64] = np.minimum(waits.quantiles(_QUANTILES, self.size, since), longest)
        return found

    def value(self, sort: str) -> NDArray[np.float64]:
        """What rows are ranked by: the name of a column that ranks."""
        match sort:
            case "count":
                found = self.rows.done
            case "events":
                found = self.rows.events
            case "rate":
                found = self.over("10s").happened
            case "share":
                found = self.weight
            case "failed" | "preempted":
                found = self.rows.of(sort)
            case "search":
                found = self.rows.of("searched")
            case "total":
                found = self.rows.of("waited")
            case "max":
                found = self.peaks
            case "p50" | "p99":
                found = self.quantiles[int(sort == "p99")]
            case "first" | "last":
                found = self.fold.table.about[sort][: self.size]
            case _:
                found = self.rows.of(next(p for p in self.measures.done if SCHEMAS[p].done == sort))
        return found.astype(np.float64)

    def spark(self, rows: Codes) -> Counts:
        """Events that were not searched in the last minute: of *rows*, and in the last line of all; shape (rows + 1,
        SPARK)."""
        found = np.zeros((len(rows) + 1, SPARK), np.int64)
        for second, sums in self.fold.windows.picked(self.second - _SPARK_SECONDS * SPARK + 1, rows):
            found[:, SPARK - 1 - (self.second - second) // _SPARK_SECONDS] += Tally(self.measures, sums).happened
        return found
