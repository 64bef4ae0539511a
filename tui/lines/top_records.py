"""Reports of a top as records of named values: JSON with one object for all reports, and CSV with one line a row.

Untrusted text is written as in tables: unsafe characters become escapes.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ringtop.bpf.event.schema import SCHEMAS, UNKNOWN
from ringtop.tui.lines.csv_lines import harmless, written
from ringtop.tui.lines.json_lines import escaped_json
from ringtop.tui.text.text import PROGRAMS
from ringtop.tui.top.measures import Measures
from ringtop.tui.top.report import Others, Report, Row
from ringtop.tui.top.verdict import sentence

_HEAD = ("program", "by", "window", "since", "until", "lost")
_ROW = (
    *("key", "keys", "count", "events", *(schema.done for schema in SCHEMAS.values()), "error", "share", "share_high"),
    *("rate", "failed", "search", "lookups", "errno", "first", "last", "total_ns", "max_ns", "p50_ns", "p99_ns"),
    *("ran_ns", "ran_p50_ns", "preempted", "because", "because_share", "after", "after_share"),
    *("parent", "pid", "pids", "uid", "marks", "cut"),
)


class TopJson:
    """Writes all reports of one time as one JSON object."""

    def header(self) -> list[str]:
        """Empty: JSON has no header."""
        return []

    def lines(self, reports: list[Report], wall_offset_ns: int) -> list[str]:
        """One line with the object ``{"programs": [...]}``."""
        document = {"programs": [_record(report, wall_offset_ns) for report in reports]}
        return [escaped_json(json.dumps(document, ensure_ascii=False))]


class TopCsv:
    """Writes one line of CSV for each row, and one with an empty key for all other rows together."""

    def header(self) -> list[str]:
        """The names of the columns."""
        return written([(*_HEAD, *_ROW)])

    def lines(self, reports: list[Report], wall_offset_ns: int) -> list[str]:
        """The lines for all rows of all reports."""
        lines = []
        for report in reports:
            record = _record(report, wall_offset_ns)
            for row in (*record["rows"], record["others"]):
                told = {name: record[name] for name in _HEAD} | row
                lines.append([_cell(told.get(name)) for name in (*_HEAD, *_ROW)])
        return written(lines)


def _record(report: Report, wall_offset_ns: int) -> dict[str, Any]:
    kept = report.measures
    return {
        "program": report.program,
        "by": report.key.name,
        "window": report.window,
        "since": _time(report.since_ns + wall_offset_ns),
        "until": _time(report.until_ns + wall_offset_ns),
        "events": report.events,
        "lost": report.lost,
        "kept_out": report.kept_out,
        "exact": report.exact,
        "rate": round(report.rate, 3),
        "quiet_s": round(report.quiet_ns / 1e9, 3),
        "verdict": sentence(report.verdict),
        "keys": report.keys,
        "rows": [_row(row, report, kept, wall_offset_ns) for row in report.rows],
        "others": _others(report.others, kept),
    }


def _row(row: Row, report: Report, kept: Measures, wall_offset_ns: int) -> dict[str, Any]:
    parts = [PROGRAMS.visible(part) for part in row.key]
    found: dict[str, Any] = {
        "key": " ".join(parts),
        "parts": {part.name: text for part, text in zip(report.key.parts, parts, strict=True)},
        "count": row.count,
        "events": row.events,
    }
    if kept.across:
        found |= {SCHEMAS[program].done: n for program, n in zip(kept.done, row.done, strict=True)}
    found |= {
        "error": row.error,
        "share": None if row.share is None else round(row.share.low, 4),
        "share_high": None if row.share is None else round(row.share.high, 4),
        "rate": round(row.rate, 3),
        "marks": row.marks,
        "first": _time(row.first_ns + wall_offset_ns),
        "last": _time(row.last_ns + wall_offset_ns),
        "pid": _known(row.pid),
        "uid": _known(row.uid),
    }
    if not kept.across:
        found["pids"] = row.pids
    if kept.failures:
        found |= {"failed": row.failed, "errno": PROGRAMS.visible(row.errno) or None}
    if kept.searches:
        found |= {"search": row.searched, "lookups": row.lookups}
    if kept.waits:
        found |= {"total_ns": row.total_ns, "max_ns": row.max_ns, "p50_ns": row.p50_ns, "p99_ns": row.p99_ns}
    if kept.runs:
        found |= {"ran_ns": row.ran_ns, "ran_p50_ns": row.ran_p50_ns}
    if kept.preempted:
        found["preempted"] = row.preempted
    for name, most, share in (("because", row.because, row.because_share), ("after", row.after, row.after_share)):
        if name in kept.commons:
            found |= {name: PROGRAMS.visible(most), f"{name}_share": round(share, 4)}
    if "parent" in kept.commons:
        found |= {"parent": PROGRAMS.visible(row.parent), "cut": row.cut}
    return found


def _others(others: Others, kept: Measures) -> dict[str, Any]:
    found = {"events": others.events, "keys": others.keys, "count": sum(others.done)}
    if kept.failures:
        found["failed"] = others.failed
    if kept.searches:
        found["search"] = others.searched
    if kept.waits:
        found["total_ns"] = others.total_ns
    return found


def _known(number: int) -> int | None:
    return None if number == UNKNOWN else number


def _time(wall_ns: int) -> str:
    return f"{np.datetime64(wall_ns, 'ns')}Z"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return harmless(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
