"""The columns of ranked tables: their names, which of them rank rows, and their cells as safe text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ringtop.bpf.event.command.command import LONGEST
from ringtop.bpf.event.schema import SCHEMAS, UNKNOWN
from ringtop.tui.text.format import UNKNOWN_TEXT, age, count, percent
from ringtop.tui.text.text import cut_mark, visible
from ringtop.tui.top.keys import Key
from ringtop.tui.top.measures import Measures
from ringtop.tui.top.report import Report, Row

Text = Callable[[Row, Report], str]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a ranked table."""

    name: str
    title: str
    about: str
    text: Text
    width: int = 0
    """Width in cells; 0 takes the rest of the line."""
    right: bool = True
    ranks: bool = True
    """Whether rows can be ranked by this column."""
    there: Callable[[Measures], bool] = lambda kept: True
    """Whether a table with these measures has this column."""


def _brief(ns: int) -> str:
    """A duration in at most five characters: 850us, 16ms, 1.02s, 12.9s, 204s."""
    if ns < 999_500:
        return f"{ns / 1e3:.0f}us"
    if ns < 999_500_000:
        return f"{ns / 1e6:.0f}ms"
    seconds = ns / 1e9
    return f"{seconds:.2f}s" if seconds < 9.995 else f"{seconds:.1f}s" if seconds < 99.95 else f"{seconds:.0f}s"


def _time(ns: int) -> str:
    return _brief(ns) if ns else ""


def _rate(row: Row, report: Report) -> str:
    return f"{row.rate:.1f}" if row.rate < 999.95 else count(row.rate)


def _share(row: Row, report: Report) -> str:
    if row.share is None:
        return ""
    low, high = (percent(part, 1) for part in (row.share.low, row.share.high))
    if not row.share.sure:
        return f"~{low}"
    return low if low == high else f"{low.removesuffix('%')}-{high}"


def _common(name: bytes, share: float) -> str:
    return f"{visible(name)} {percent(share, 1)}" if name else ""


def _preempted(row: Row, report: Report) -> str:
    return percent(row.preempted, row.count)


def _pids(row: Row, report: Report) -> str:
    return "1" if row.pids == 1 else f"~{count(row.pids)}"


def _uid(row: Row, report: Report) -> str:
    return UNKNOWN_TEXT if row.uid == UNKNOWN else str(row.uid)


def _done(at: int) -> Text:
    return lambda row, report: count(row.done[at])


def _of(program: str, at: int) -> Column:
    schema = SCHEMAS[program]
    return Column(schema.done, schema.done.upper(), schema.many, _done(at), 9)


def _most(name: str, title: str, about: str, text: Callable[[Row], str], width: int) -> Column:
    """The column of what most events of a row have in common."""
    return Column(
        name,
        title,
        about,
        lambda row, _: text(row),
        width,
        right=False,
        ranks=False,
        there=lambda kept: name in kept.commons,
    )


_MEASURES = (
    Column("rate", "/S", "events per second, over the last ten seconds", _rate, 6),
    Column("share", "SHARE", "share of all events; for waits, of all time waited", _share, 6),
    Column("total", "TOTAL", "time waited", lambda row, _: _time(row.total_ns), 6, there=lambda kept: kept.waits),
    Column("p50", "P50", "median wait", lambda row, _: _time(row.p50_ns), 5, there=lambda kept: kept.waits),
    Column(
        "p99", "P99", "99th percentile of the waits", lambda row, _: _time(row.p99_ns), 5, there=lambda kept: kept.waits
    ),
    Column("max", "MAX", "longest wait", lambda row, _: _time(row.max_ns), 5, there=lambda kept: kept.waits),
    Column(
        "ran",
        "RUN TIME",
        "time that processes ran, from exec to end",
        lambda row, _: _time(row.ran_ns),
        8,
        there=lambda kept: kept.runs,
    ),
    Column("run-p50", "RUN P50", "median of it", lambda row, _: _time(row.ran_p50_ns), 7, there=lambda kept: kept.runs),
    _most(
        "because",
        "BECAUSE OF",
        "who most often used the CPU during the wait, or what else took most of it",
        lambda row: _common(row.because, row.because_share),
        18,
    ),
    _most(
        "after",
        "AFTER",
        "thread that most often had the CPU before",
        lambda row: _common(row.after, row.after_share),
        16,
    ),
    Column("preempted", "PREEMPT", "waits after a preemption", _preempted, 7, there=lambda kept: kept.preempted),
    Column("failed", "FAILED", "failed", lambda row, _: count(row.failed), 7, there=lambda kept: kept.failures),
    Column(
        "search",
        "SEARCH",
        "failed tries along PATH before the program was found",
        lambda row, _: count(row.searched),
        7,
        there=lambda kept: kept.searches,
    ),
    _most("error", "ERROR", "most frequent error", lambda row: visible(row.errno), 7),
    _most("parent", "PARENT", "most frequent parent", lambda row: visible(row.parent), 15),
    Column(
        "pids", "PIDS", "number of processes, approximately", _pids, 6, ranks=False, there=lambda kept: not kept.across
    ),
    Column("uid", "UID", "user of the newest event", _uid, 5, ranks=False, there=lambda kept: not kept.across),
    Column("first", "FIRST", "age of the first event", lambda row, told: age(told.until_ns - row.first_ns), 6),
    Column("last", "LAST", "age of the newest event", lambda row, told: age(told.until_ns - row.last_ns), 6),
)


def columns(key: Key, kept: Measures) -> tuple[Column, ...]:
    """The columns of a table that is folded by *key* and keeps the measures *kept*; those of the key come first."""
    parts = tuple(_part(at, part.name, part.title, part.about) for at, part in enumerate(key.parts))
    done = tuple(_of(p, at) for at, p in enumerate(kept.done))
    if kept.across:
        done = (Column("events", "EVENTS", "all events", lambda row, _: count(row.events), 9), *done)
    else:
        done = (Column("count", done[0].title, done[0].about, done[0].text, 9),)
    return (*parts, *done, *(column for column in _MEASURES if column.there(kept)))


def _part(at: int, name: str, title: str, about: str) -> Column:
    def text(row: Row, report: Report) -> str:
        return visible(row.key[at]) + (cut_mark if len(row.key[at]) >= LONGEST else "")

    return Column(name, title, about, text, right=False, ranks=False)


def sorts(kept: Measures) -> tuple[str, ...]:
    """Names of the columns that can rank a table with the measures *kept*, what hurts most first."""
    usual = "events" if kept.across else "total" if kept.waits else "count"
    names = [column.name for column in columns(Key("", ()), kept) if column.ranks]
    return tuple(dict.fromkeys([usual, *names, "events", "count"]))
