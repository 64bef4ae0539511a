"""The verdict: a line on what stands out. Rules use numbers only, and say nothing that lost events could overturn."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from ringtop.tui.text.format import age, clock, count, percent, several
from ringtop.tui.top.case import Case
from ringtop.tui.top.clauses import RULES
from ringtop.tui.top.slots import SECOND
from ringtop.tui.top.tally import Tally

CLAUSES = 2
QUIET_NS = 10 * SECOND


def verdict(case: Case) -> tuple[str, ...]:
    """The first CLAUSES clauses that hold, as safe text."""
    return tuple(islice(_clauses(case), CLAUSES))


def sentence(clauses: tuple[str, ...]) -> str:
    """All clauses in one line."""
    return " ".join(f"{clause}." for clause in clauses)


def _clauses(case: Case) -> Iterator[str]:
    if case.losses:
        yield _lost(case)
    if case.last_ns is None or case.standing.now_ns - case.last_ns >= QUIET_NS:
        yield _quiet(case)
        return
    found = [clause for rule in RULES if (clause := rule(case))]
    yield from found
    if not found and not case.lost:
        yield _nothing(case)


def _lost(case: Case) -> str:
    standing = case.standing
    worst = max(case.losses, key=lambda loss: loss.events)
    when = clock(worst.first_ns + case.wall_offset_ns, None, 0)
    lost = f"{count(case.lost)} lost{', most' if len(case.losses) > 1 else ''} at {when}"
    # Ledgers come once a second and cover the second before.
    first, last = worst.first_ns // SECOND - 1, worst.last_ns // SECOND
    events = Tally(standing.measures, standing.fold.windows.of(first, last, standing.size)).events[1:]
    if not events.any():
        return lost
    row = int(events.argmax())
    return f"{lost}: {case.name(row)}, {count(int(events[row]))} or more in {last - first + 1} s"


def _quiet(case: Case) -> str:
    now_ns, table = case.standing.now_ns, case.standing.fold.table
    if case.last_ns is None:
        return f"quiet for {age(now_ns - case.standing.start_ns)}, since the start"
    since = clock(case.last_ns + case.wall_offset_ns, None, 0)
    events = int(table.events.sum() + Tally(case.standing.measures, table.others).events)
    return f"quiet for {age(now_ns - case.last_ns)} (since {since}); {several(events, 'event')} before"


def _nothing(case: Case) -> str:
    weight = case.standing.weight
    whole = case.standing.whole_weight
    keys = several(int(np.count_nonzero(weight)) + case.standing.fold.table.gone, "key")
    return f"nothing stands out: {keys}, the largest {percent(int(weight.max(initial=0)), whole)}"
