"""A report of how rows stand: ranked, cut to what is wanted, and the rest as others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ringtop.tui.top import sketch
from ringtop.tui.top.case import Case
from ringtop.tui.top.groups import Codes
from ringtop.tui.top.marks import pinned
from ringtop.tui.top.order import Order
from ringtop.tui.top.report import START, Others, Report, Row, Share
from ringtop.tui.top.verdict import verdict


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows, and how they are ranked."""

    sort: str
    rows: int
    first: int = 0
    order: Order | None = None
    """None: exactly by *sort*."""
    keep: Sequence[int] = ()
    """Ids of rows that are told of even if they had no event in the window."""


def report(program: str, case: Case, wanted: Wanted, kept_out: int) -> Report:
    """The report on *program*."""
    standing = case.standing
    table = standing.fold.table
    ids = table.about["key"][: standing.size]
    events = standing.events()
    there = np.flatnonzero((events > 0) | np.isin(ids, np.array(wanted.keep, np.uint64)))
    ranked = _ranked(case, wanted, ids, there)
    shown = ranked[wanted.first : wanted.first + wanted.rows]
    outcomes = standing.fold.measures.outcomes
    rest = standing.sums.sum(axis=1) + standing.others - standing.sums[:, shown].sum(axis=1)
    whole = int(events.sum() + standing.others[:outcomes].sum())
    gone = table.gone if standing.others[:outcomes].any() else 0
    return Report(
        program=program,
        key=standing.fold.key,
        measures=standing.fold.measures,
        window=standing.window,
        since_ns=standing.since_ns,
        until_ns=standing.now_ns,
        events=whole,
        lost=case.lost,
        kept_out=kept_out,
        exact=not case.lost and not (table.error or standing.cut),
        keys=len(there) + gone,
        rate=float(standing.happened(standing.now).sum()) / standing.seconds("10s"),
        spark=tuple(standing.spark().tolist()),
        quiet_ns=standing.now_ns - (case.last_ns if case.last_ns is not None else standing.start_ns),
        verdict=verdict(case),
        order=ids[ranked],
        rows=_rows(case, shown),
        others=Others(
            events=int(rest[:outcomes].sum()),
            keys=len(there) + gone - len(shown),
            done=tuple(rest[: outcomes - 2].tolist()),
            failed=int(rest[outcomes - 2]),
            searched=int(rest[outcomes - 1]),
            total_ns=int(rest[-2]),
        ),
    )


def _ranked(case: Case, wanted: Wanted, ids: NDArray[np.uint64], there: Codes) -> Codes:
    """Rows of *there* in order."""
    values = case.standing.value(wanted.sort)
    first = [row for row in pinned(case.standing) if row in set(there.tolist())]
    if wanted.order is None:
        rest = there[np.argsort(-values[there], kind="stable")]
        return np.concatenate([np.array(first, np.int64), rest[~np.isin(rest, first)]])
    top = ids[first].tolist()
    order = wanted.order.arrange(ids[there], values[there], top, wanted.sort in ("first", "last"))
    return case.standing.fold.table.find(order)


def _rows(case: Case, rows: Codes) -> tuple[Row, ...]:
    standing = case.standing
    fold, table = standing.fold, standing.fold.table
    sparks = standing.spark(rows).tolist()
    pids = sketch.estimate(fold.pids[rows]).tolist() if not fold.measures.across else [0] * len(rows)
    rates = (standing.happened(standing.now)[rows] / standing.seconds("10s")).tolist()
    found = []
    for place, row in enumerate(rows.tolist()):
        about = table.about[row]
        sums = standing.sums[:, row].tolist()
        outcomes = fold.measures.outcomes
        _, times = standing.common("after") if "after" in fold.commons else (None, None)
        failed = sums[outcomes - 2]
        known = int(table.sums[:outcomes, row].sum())
        found.append(
            Row(
                id=int(about["key"]),
                key=tuple(case.label(row)),
                done=tuple(sums[: outcomes - 2]),
                failed=failed,
                searched=sums[outcomes - 1],
                lookups=int(about["lookups"]),
                error=_error(case, row),
                rate=rates[place],
                share=_share(case, row),
                total_ns=sums[-2],
                max_ns=int(standing.peaks[row]),
                p50_ns=int(standing.quantiles[0, row]),
                p99_ns=int(standing.quantiles[1, row]),
                preempted=sums[-1],
                after=case.common("after", row),
                after_share=int(times[row]) / max(known, 1) if times is not None else 0.0,
                errno=case.common("error", row) if failed else b"",
                parent=case.common("parent", row),
                pid=int(about["pid"]),
                pids=max(pids[place], 2) if about["several"] else 1,
                uid=int(about["uid"]),
                first_ns=int(about["first"]),
                last_ns=int(about["last"]),
                spark=tuple(sparks[place]),
                marks=case.marks.of(row),
                cut=bool(about["cut"]),
            )
        )
    return tuple(found)


def _error(case: Case, row: int) -> int:
    """How many events more there may have been: before the row was born, and of what slots did not keep."""
    about = case.standing.fold.table.about[row]
    inside = case.standing.window == START or int(about["first"]) >= case.standing.since_ns
    return (int(about["born"]) if inside else 0) + case.standing.cut


def _share(case: Case, row: int) -> Share | None:
    standing = case.standing
    part, whole = int(standing.weight()[row]), standing.whole_weight
    if standing.by_time:
        return Share(part / max(whole, 1), part / max(whole, 1), sure=not case.lost)
    if not case.happened[row]:
        return None
    whole = max(whole + case.lost, 1)
    return Share(part / whole, (part + case.lost) / whole)
