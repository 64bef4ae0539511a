"""The standing of all rows of a fold in a window: the values that they are ranked and judged by."""

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
    """The standing of the rows of *fold* at *now_ns* in *window*, which begins no earlier than *start_ns*."""

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
            """Upper bound on what any row may lack, because a slot keeps a limited number of rows."""
        else:
            first = begin(window, self.second)
            self.since_ns = max(start_ns, first * SECOND)
            sums, others = fold.windows.sums(window, self.size)
            self.rows, self.others = Tally(self.measures, sums), Tally(self.measures, others)
            self.peaks = fold.windows.peaks(window, self.size)
            self.cut = fold.windows.slots.error(first)

    def over(self, window: str) -> Tally:
        """The sums of all rows in another window."""
        return Tally(self.measures, self.fold.windows.sums(window, self.size)[0])

    @cached_property
    def peaks_of_minute(self) -> Counts:
        """The longest wait of each row in the last minute, ns."""
        return self.fold.windows.peaks("1min", self.size)

    def seconds(self, window: str) -> float:
        """The length of *window* in seconds, without the time before the start; at least 1."""
        since = max(begin(window, self.second) * SECOND, self.start_ns)
        return max((self.now_ns - since) / SECOND, 1.0)

    @property
    def by_time(self) -> bool:
        """Whether shares are of time waited; otherwise they are of events without searched tries."""
        return self.measures.waits and not self.measures.across

    @property
    def weight(self) -> Counts:
        """The value of each row that its share is computed from: time waited in ns, or events."""
        return self.rows.of("waited") if self.by_time else self.rows.happened

    @cached_property
    def whole_weight(self) -> int:
        """The sum of all weights, others included, which shares refer to."""
        others = self.others.of("waited") if self.by_time else self.others.happened
        return int(self.weight.sum() + others)

    @cached_property
    def events(self) -> int:
        """Events of all rows and others."""
        return int(self.rows.events.sum() + self.others.events)

    @property
    def recent(self) -> int:
        """Events of all rows and others in the last ten seconds, without searched tries."""
        rows, others = self.fold.windows.sums("10s", self.size)
        return int(Tally(self.measures, rows).happened.sum() + Tally(self.measures, others).happened)

    def common(self, part: str) -> tuple[Codes, Counts]:
        """The number of each row's commonest culprit, error or parent, and its count since the start."""
        if part not in self._commons:
            self._commons[part] = self.fold.commons[part].most(self.size)
        return self._commons[part]

    @property
    def _since_slot(self) -> int | None:
        """The second that the first slot of the window's histograms begins with; None for all since the start."""
        return None if self.window == START else begin(self.window, self.second) // 10 * 10

    @cached_property
    def run_medians(self) -> NDArray[np.int64]:
        """Median of the times that the processes of each row ran, ns; shape (rows,)."""
        runs = self.fold.runs
        if runs is None:
            return np.zeros(self.size, np.int64)
        (medians,) = runs.quantiles(_QUANTILES[:1], self.size, self._since_slot)
        found: NDArray[np.int64] = medians
        return found

    @cached_property
    def quantiles(self) -> NDArray[np.int64]:
        """Median and 99th percentile of the waits of each row, ns; shape (2, rows)."""
        waits = self.fold.waits
        if waits is None:
            return np.zeros((2, self.size), np.int64)
        since = self._since_slot
        longest = self.fold.table.about["peak"][: self.size]
        found: NDArray[np.int64] = np.minimum(waits.quantiles(_QUANTILES, self.size, since), longest)
        return found

    def value(self, sort: str) -> NDArray[np.float64]:
        """The value of each row that the column *sort* ranks by, shape (rows,)."""
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
            case "ran":
                found = self.rows.of("ran")
            case "run-p50":
                found = self.run_medians
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
        """Events of the last minute without searched tries, for each of *rows* and, in the last line, for all; shape
        (rows + 1, SPARK)."""
        found = np.zeros((len(rows) + 1, SPARK), np.int64)
        for second, sums in self.fold.windows.picked(self.second - _SPARK_SECONDS * SPARK + 1, rows):
            found[:, SPARK - 1 - (self.second - second) // _SPARK_SECONDS] += Tally(self.measures, sums).happened
        return found
