"""The rules of the verdict: each returns a clause with its numbers, or an empty string when it does not hold."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ringtop.bpf.event.command.command import UNREADABLE, base
from ringtop.bpf.event.culprit import IDLE, MOVED, SHORT, UNRECORDED
from ringtop.bpf.event.schema import SCHEMAS, UNKNOWN
from ringtop.tui.text.format import count, duration, percent, rate, several
from ringtop.tui.text.text import visible
from ringtop.tui.top.case import Case, at_least
from ringtop.tui.top.commands import LEVELS
from ringtop.tui.top.names import NOT_KNOWN
from ringtop.tui.top.slots import SECOND

Rule = Callable[[Case], str]

_COMMANDS = (*LEVELS, "argv", "exe")
_FAILS, _FAILED_SHARE = 5, 0.05
_CANDIDATES = 8
"""The number of rows that only fail, of which one may be of a program that was never found."""
_SEARCHED_SHARE, _MOSTLY = 0.5, 0.9
_STARTS_A_SECOND = 10
_WAITS_MOST, _PREEMPTED = 0.4, 0.8
_WHY = {
    IDLE: ", while the CPU was idle (throttled?)",
    SHORT: ", because of many short runs",
    MOVED: ", on another CPU than it ran on",
}
_MOST, _FEW = 0.5, 10
"""A rule reports a share from _MOST on, and only of at least _FEW events."""


def _part(case: Case, part: float) -> str:
    return f"at least {at_least(part)}" if case.lost else percent(part, 1)


def _burst(case: Case) -> str:
    standing = case.standing
    now = np.where(case.marks.burst, standing.over("10s").happened, 0)
    if not now.any():
        return ""
    row = int(now.argmax())
    seconds = max(standing.seconds("5min") - standing.seconds("10s"), 1)
    before = (int(standing.over("5min").happened[row]) - int(now[row])) / seconds
    return f"{case.name(row)}: {count(now[row])} in {standing.seconds('10s'):.0f} s, was {rate(before)}/s"


def _program(case: Case, row: int) -> bytes:
    """The name of the program of *row*, which a shell may have searched for along PATH, as raw bytes."""
    label = case.label(row)[0]
    return base(label) if case.standing.fold.key.name == "exe" else base(label.partition(b" ")[0])


def _namesakes(case: Case, name: bytes) -> list[int]:
    """The rows of programs called *name*, in whatever folder and with whatever arguments."""
    labels = case.standing.fold.table.labels
    return [row for row, label in enumerate(labels) if name in label and _program(case, row) == name]


def _missing(case: Case) -> list[int]:
    """The rows of a program that was never found: all its execs failed, most of them because there was no such file.

    Empty when an exec that found it may be among the events that were lost or have no row.
    """
    standing = case.standing
    others = standing.others
    if not standing.measures.searches or standing.fold.key.name not in _COMMANDS:
        return []
    if case.lost or others.events > others.of("failed"):
        return []
    whole, failed = standing.rows.events, standing.rows.of("failed")
    for row in np.argsort(-np.where(whole == failed, failed, 0), kind="stable")[:_CANDIDATES].tolist():
        if failed[row] and case.common("error", row) == b"ENOENT" and case.label(row)[0] != UNREADABLE:
            rows = [one for one in _namesakes(case, _program(case, row)) if whole[one]]
            if (whole[rows] == failed[rows]).all():
                return rows
    return []


def _never_found(case: Case) -> str:
    if not (rows := _missing(case)):
        return ""
    failed = case.standing.rows.of("failed")[rows]
    parent = case.most_common("parent", rows[int(failed.argmax())])
    by = f" by {parent}" if parent and parent != visible(NOT_KNOWN) else ""
    return f"{visible(_program(case, rows[0]))} was never found ({several(int(failed.sum()), 'attempt')}{by})"


def _fails(case: Case) -> str:
    standing = case.standing
    if not standing.measures.failures:
        return ""
    often = standing.rows.of("failed") >= np.maximum(_FAILS, _FAILED_SHARE * (case.happened + float(case.lost)))
    often[_missing(case)] = False  # an earlier clause has reported them
    failed = np.where(often, standing.rows.of("failed"), 0)
    if not failed.any():
        return ""
    row = int(failed.argmax())
    error = case.most_common("error", row)
    error = f"exit code {error}" if error.isdigit() else error
    return f"{case.name(row)} fails {count(failed[row])} of {count(case.happened[row])} ({error})"


def _searches(case: Case) -> str:
    standing = case.standing
    if not standing.measures.searches or standing.fold.key.name not in _COMMANDS:
        return ""
    searched = standing.rows.of("searched")
    if case.at_least(int(searched.sum()), standing.events) < _SEARCHED_SHARE:
        return ""
    row = int(searched.argmax())
    part = _part(case, case.at_least(int(searched.sum()), standing.events))
    whose = f"{case.most_common('parent', row) or 'an unknown process'}'s"
    if searched[row] >= _MOSTLY * searched.sum():
        return f"{part}: {whose} PATH search for {visible(_program(case, row))}"
    return f"{part}: searches along PATH, most of them {whose} for {visible(_program(case, row))}"


def _starts(case: Case) -> str:
    standing = case.standing
    if not (standing.measures.searches and "parent" in standing.fold.commons):
        return ""
    about = standing.fold.table.about[: standing.size]
    seconds = standing.seconds("10s")
    started = standing.over("10s").done
    steady = about["parent_since"] <= standing.now_ns - 10 * SECOND
    started = np.where(steady & (started >= _STARTS_A_SECOND * seconds), started, 0)
    if not started.any():
        return ""
    row = int(started.argmax())
    parent = f"{case.most_common('parent', row)} {int(about['ppid'][row]) & UNKNOWN}"
    return f"{parent} starts {case.name(row)} {rate(started[row] / seconds)}/s"


def _waits(case: Case) -> str:
    """The rule does not hold when events were lost: the lost waits may have been longer."""
    standing = case.standing
    if not standing.by_time or case.lost or not standing.weight.any():
        return ""
    row = int(standing.weight.argmax())
    if standing.weight[row] < _WAITS_MOST * standing.whole_weight:
        return ""
    part = percent(standing.weight[row], standing.whole_weight)
    return f"{case.name(row)} waits most: {part} of all waiting{_why(case, row)}"


def _why(case: Case, row: int) -> str:
    """What the waits of *row* were most often because of; where that is not known, whom they came after."""
    culprit = case.common("because", row)
    if culprit in _WHY:
        return _WHY[culprit]
    if culprit not in (b"", UNRECORDED):
        return f", because of {visible(culprit)}"
    return f", after {name}" if (name := case.most_common("after", row)) else ""


def _worst(case: Case) -> str:
    standing = case.standing
    long_ns = standing.measures.long_ns
    if not standing.by_time or case.lost or not 0 < long_ns <= standing.peaks.max(initial=0):
        return ""
    row = int(standing.peaks.argmax())
    return f"Worst: {case.name(row)}, {duration(int(standing.peaks[row]))}"


def _preempted(case: Case) -> str:
    standing = case.standing
    if not standing.measures.preempted or case.whole < _FEW:
        return ""
    preempted = int(standing.rows.of("preempted").sum() + standing.others.of("preempted"))
    if case.at_least(preempted, case.whole) < _PREEMPTED:
        return ""
    return "Most waits are preemptions: more tasks than CPUs"


def _most(case: Case) -> str:
    """The rule holds when one key has at least half of all done events."""
    standing = case.standing
    measures = standing.measures
    if standing.by_time or measures.across or not standing.size:
        return ""
    done = standing.rows.done
    row = int(done.argmax())
    whole = int(done.sum() + standing.others.done)
    part = case.at_least(int(done[row]), whole)
    if whole < _FEW or part < _MOST:
        return ""
    labels = dict(zip((p.name for p in standing.fold.key.parts), map(visible, case.label(row)), strict=True))
    folder = next((label for name, label in labels.items() if name.startswith("dir")), "")
    by = f" by {labels['comm']}" if "comm" in labels else ""
    if folder:
        share = _part(case, part)
        return f"{share[:1].upper()}{share[1:]} under {folder}{by}"
    return f"{case.name(row)}: {_part(case, part)} of all {SCHEMAS[measures.done[0]].many}"


def _across(case: Case) -> str:
    """The rule holds when one key has at least half of the done events of a program."""
    standing = case.standing
    programs = standing.measures.done
    if not (standing.measures.across and standing.size):
        return ""
    told: dict[int, list[str]] = {}
    for program in programs:
        done = standing.rows.of(program)
        row = int(done.argmax())
        whole = int(done.sum() + standing.others.of(program))
        part = case.at_least(int(done[row]), whole)
        if whole >= _FEW and part >= _MOST:
            told.setdefault(row, []).append(f"{_part(case, part)} of all {SCHEMAS[program].many}")
    return ". ".join(f"{case.name(row)}: {', '.join(parts)}" for row, parts in list(told.items())[:2])


RULES: tuple[Rule, ...] = (
    _burst, _never_found, _fails, _searches, _starts, _waits, _worst, _preempted, _most, _across,
)  # fmt: skip
"""All rules, the most important first."""
