"""The events of one program, counted by a bounded number of label values.

The labels are the result, and the parts of the key by which the program's events are ranked unless another is chosen; a
directory counts by its first two names. The first MOST keys that occur have values of their own for good, so that
counters never go back; the events of all other keys are counted under OTHER. All counts together are the events
received.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.text.text import PROGRAMS
from ringtop.tui.top.events import Events, Known
from ringtop.tui.top.fold import ids
from ringtop.tui.top.keys import Key
from ringtop.tui.top.parts import PARTS

MOST = 100
OTHER = "other"
BUCKETS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
"""Upper ends of the buckets of durations, seconds."""
_EDGES = (np.array(BUCKETS) * 1e9).astype(np.int64)
_COARSER = {"dir": "dir2"}
"""Parts of keys in whose place a coarser one is counted."""
_LOOKED_UP = 100 * MOST
"""Keys that are remembered: more than label values, as those are cut, and several keys may have the same."""
_BOUND = f"The first {MOST} keys have values of their own, all others are '{OTHER}'."
_RESULTS = 512
"""Words for results that are told apart: there are some 130 errors, and 256 exit codes."""


class Tally:
    """Counts the events of *program*."""

    def __init__(self, program: str, known: Known) -> None:
        schema = self._schema = SCHEMAS[program]
        self._known = known
        self._names = tuple(schema.key.split("+"))
        self._key = Key(schema.key, tuple(PARTS[_COARSER.get(name, name)] for name in self._names))
        self._values: list[tuple[str, ...]] = []
        self._others = (OTHER,) * len(self._names)
        self._places = {self._others: MOST}
        """By the values of the labels: the place among all sums."""
        self._keys: dict[int, int] = {}
        """By the hash of a key: its place."""
        self._words: set[str] = set()
        self._counts: dict[tuple[int, str], int] = {}
        """The events by place and the word for their result."""
        self._lasting = schema.waits or schema.runs
        self._lasted = np.zeros((MOST + 1, len(BUCKETS) + 1), np.int64)
        self._sums_ns = np.zeros(MOST + 1)

    def take(self, batch: Batch) -> None:
        """Count the events of *batch*."""
        if not len(batch):
            return
        places = self._found(Events(batch, self._known))
        outcome = self._schema.outcome
        results = batch.rows[outcome.part].astype(np.int64) if outcome is not None else np.zeros(len(batch), np.int64)
        pairs, counts = np.unique(places << 32 | (results & 0xFFFF_FFFF), return_counts=True)
        told = (pairs >> 32).tolist(), pairs.astype(np.int32).tolist(), counts.tolist()
        for place, result, count in zip(*told, strict=True):
            key = place, self._word(outcome.word(result)) if outcome is not None else ""
            self._counts[key] = self._counts.get(key, 0) + count
        if self._lasting:
            ns = batch.rows[self._lasting]
            np.add.at(self._lasted, (places, np.searchsorted(_EDGES, ns)), 1)
            np.add.at(self._sums_ns, places, ns.astype(np.float64))

    def _word(self, word: str) -> str:
        if len(self._words) < _RESULTS:
            self._words.add(word)
        return word if word in self._words else OTHER

    def _found(self, events: Events) -> NDArray[np.int64]:
        """The place of each event's key, shape (n,)."""
        hashes, first, of = np.unique(ids(self._key, events), return_index=True, return_inverse=True)
        keys = hashes.tolist()
        new = [i for i, key in enumerate(keys) if key not in self._keys]
        if new and len(self._values) < MOST and len(self._keys) < _LOOKED_UP:
            at = first[new]
            labels = zip(*(part.labels(events, at) for part in self._key.parts), strict=True)
            for i, told in zip(new, labels, strict=True):
                self._keys[keys[i]] = self._place(tuple(map(PROGRAMS.visible, told)))
        places = np.array([self._keys.get(key, MOST) for key in keys], np.int64)
        return places[of]

    def _place(self, values: tuple[str, ...]) -> int:
        place = self._places.get(values)
        if place is None:
            if len(self._values) == MOST:
                return MOST
            place = self._places[values] = len(self._values)
            self._values.append(values)
        return place

    def _told(self, place: int) -> tuple[str, ...]:
        return self._values[place] if place < len(self._values) else self._others

    def families(self) -> Iterator[Metric]:
        """The metrics."""
        program, results = self._schema.program, ("result",) if self._schema.outcome is not None else ()
        labels = *self._names, *results
        about = f"Events of {program} received, by {', '.join(labels)}. {_BOUND}"
        counter = CounterMetricFamily(f"ringtop_{program}_events", about, labels=labels)
        for (place, word), count in self._counts.items():
            counter.add_metric((*self._told(place), word)[: len(labels)], count)
        yield counter
        if self._lasting:
            field = self._schema[self._lasting]
            name, about = f"ringtop_{program}_{field.name}_seconds", f"{field.about.capitalize()}. {_BOUND}"
            histogram = HistogramMetricFamily(name, about, labels=self._names)
            for place in np.flatnonzero(self._lasted.any(axis=1)).tolist():
                counts = map(float, self._lasted[place].cumsum())
                pairs = list(zip([*map(str, BUCKETS), "+Inf"], counts, strict=True))
                histogram.add_metric(self._told(place), pairs, self._sums_ns[place] / 1e9)
            yield histogram
