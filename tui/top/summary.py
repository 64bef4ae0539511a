"""Builds a report: rows are ranked and cut to the wanted ones; the rest are summed up as others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.event.schema import UNKNOWN
from ringtop.tui.top import sketch
from ringtop.tui.top.case import Case
from ringtop.tui.top.groups import Codes, Counts
from ringtop.tui.top.marks import pinned
from ringtop.tui.top.order import Order
from ringtop.tui.top.report import START, Others, Report, Row, Share
from ringtop.tui.top.tally import Tally
from ringtop.tui.top.verdict import verdict


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows a report has, and how they are ranked."""

    sort: str
    rows: int
    first: int = 0
    order: Order | None = None
    """Keeps the order steady on a screen; None ranks exactly by *sort*."""
    chosen: int | None = None
    """Id of a row that is reported in any case: where its place is not reported, as the first or the last row."""
    pins: Sequence[int] = ()
    """Ids of rows that stand above all others, even if they had no event in the window."""


def report(program: str, case: Case, wanted: Wanted, kept_out: int) -> Report:
    """The report on *program*; *kept_out* is the number of events that the capture filter kept out."""
    standing = case.standing
    table = standing.fold.table
    ids = table.about["key"][: standing.size]
    events = standing.rows.events
    kept = [*wanted.pins, *([wanted.chosen] if wanted.chosen is not None else [])]
    there = np.flatnonzero((events > 0) | np.isin(ids, np.array(kept, np.uint64)))
    ranked = _ranked(case, wanted, ids, there)
    shown = ranked[_in_sight(ids[ranked], wanted.first, wanted.rows, wanted.chosen)]
    sums = standing.rows.values
    rest = Tally(standing.measures, sums.sum(axis=1) + standing.others.values - sums[:, shown].sum(axis=1))
    gone = table.gone if standing.others.events else 0
    sparks = standing.spark(shown)
    return Report(
        program=program,
        key=standing.fold.key,
        measures=standing.measures,
        window=standing.window,
        since_ns=standing.since_ns,
        until_ns=standing.now_ns,
        events=standing.events,
        lost=case.lost,
        kept_out=kept_out,
        exact=not case.lost and not (table.error or standing.cut),
        keys=len(there) + gone,
        rate=standing.recent / standing.seconds("10s"),
        spark=tuple(sparks[-1].tolist()),
        quiet_ns=standing.now_ns - (case.last_ns if case.last_ns is not None else standing.start_ns),
        verdict=verdict(case),
        order=ids[ranked],
        rows=_rows(case, shown, sparks),
        others=Others(
            events=int(rest.events),
            keys=len(there) + gone - len(shown),
            done=tuple(rest.values[: len(standing.measures.done)].tolist()),
            failed=int(rest.of("failed")),
            searched=int(rest.of("searched")),
            total_ns=int(rest.of("waited")),
        ),
    )


def part(whole: Report, first: int, rows: int, chosen: int | None) -> Report:
    """*whole* with those of its rows that a report with these wishes has; the others count the rest."""
    order = whole.order[: len(whole.rows)]
    places = _in_sight(order, first, rows, chosen).tolist()
    there = set(places)
    left = [row for place, row in enumerate(whole.rows) if place not in there]
    others = whole.others
    return replace(
        whole,
        order=order,
        rows=tuple(whole.rows[place] for place in places),
        others=Others(
            events=others.events + sum(row.events for row in left),
            keys=others.keys + len(left),
            done=tuple(map(sum, zip(others.done, *(row.done for row in left), strict=True))),
            failed=others.failed + sum(row.failed for row in left),
            searched=others.searched + sum(row.searched for row in left),
            total_ns=others.total_ns + sum(row.total_ns for row in left),
        ),
    )


def _ranked(case: Case, wanted: Wanted, ids: NDArray[np.uint64], there: Codes) -> Codes:
    """The rows *there* in ranked order."""
    values = case.standing.value(wanted.sort)
    pins = case.standing.fold.table.find(np.array(wanted.pins, np.uint64))
    first = [row for row in dict.fromkeys([*pins.tolist(), *pinned(case.standing)]) if row in set(there.tolist())]
    if wanted.order is None:
        rest = there[np.argsort(-values[there], kind="stable")]
        return np.concatenate([np.array(first, np.int64), rest[~np.isin(rest, first)]])
    top = ids[first].tolist()
    table, times = case.standing.fold.table, wanted.sort in ("first", "last")
    return table.find(wanted.order.arrange(ids[there], values[there], table.about["last"][there], top, times))


def _in_sight(order: NDArray[np.uint64], first: int, rows: int, chosen: int | None) -> Codes:
    """The places in *order* of the rows that are reported: *rows* from *first* on, with *chosen* in any case."""
    places = np.arange(len(order))[first : first + rows]
    if chosen is not None and len(places):
        for place in np.flatnonzero(order == np.uint64(chosen)).tolist():
            if place < first:
                places[0] = place
            elif place > places[-1]:
                places[-1] = place
    return places


def _rows(case: Case, rows: Codes, sparks: Counts) -> tuple[Row, ...]:
    standing = case.standing
    fold, table, tally = standing.fold, standing.fold.table, standing.rows
    pids = sketch.estimate(fold.pids[rows]).tolist() if not standing.measures.across else [0] * len(rows)
    rates = (standing.over("10s").happened[rows] / standing.seconds("10s")).tolist()
    values = {name: tally.of(name)[rows].tolist() for name in ("failed", "searched", "waited", "preempted", "ran")}
    done = tally.values[: len(standing.measures.done), rows].T.tolist()
    since_start = table.events[rows].tolist()
    after, because = (
        standing.common(name)[1][rows].tolist() if name in fold.commons else [0] * len(rows)
        for name in ("after", "because")
    )
    return tuple(
        Row(
            id=int(about["key"]),
            key=tuple(case.label(row)),
            done=tuple(done[at]),
            failed=values["failed"][at],
            searched=values["searched"][at],
            lookups=int(about["lookups"]),
            error=_error(case, row),
            rate=rates[at],
            share=_share(case, row),
            total_ns=values["waited"][at],
            max_ns=int(standing.peaks[row]),
            p50_ns=int(standing.quantiles[0, row]),
            p99_ns=int(standing.quantiles[1, row]),
            ran_ns=values["ran"][at],
            ran_p50_ns=int(standing.run_medians[row]),
            preempted=values["preempted"][at],
            after=case.common("after", row),
            after_share=after[at] / max(since_start[at], 1),
            because=case.common("because", row),
            because_share=because[at] / max(since_start[at], 1),
            errno=case.common("error", row) if values["failed"][at] else b"",
            parent=case.common("parent", row),
            pid=int(about["pid"]) & UNKNOWN,
            host=int(about["pid"]) >> 32,
            pids=max(pids[at], 2) if about["several"] else 1,
            uid=int(about["uid"]),
            first_ns=int(about["first"]),
            last_ns=int(about["last"]),
            spark=tuple(sparks[at].tolist()),
            marks=case.marks.of(row),
            cut=bool(about["cut"]) and any(part.cut for part in fold.key.parts),
        )
        for at, (row, about) in enumerate(zip(rows.tolist(), table.about[rows], strict=True))
    )


def _error(case: Case, row: int) -> int:
    """Upper bound on the events that the row lacks: those before it got its row, and those cut from slots."""
    about = case.standing.fold.table.about[row]
    inside = case.standing.window == START or int(about["first"]) >= case.standing.since_ns
    return (int(about["born"]) if inside else 0) + case.standing.cut


def _share(case: Case, row: int) -> Share | None:
    standing = case.standing
    part, whole = int(standing.weight[row]), standing.whole_weight
    if standing.by_time:
        return Share(part / max(whole, 1), part / max(whole, 1), sure=not case.lost)
    if not case.happened[row]:
        return None
    whole = max(whole + case.lost, 1)
    return Share(part / whole, (part + case.lost) / whole)
