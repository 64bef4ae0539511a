"""A process in words, from its card, or from its events once it is gone. All text made here is safe to draw."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo

from ringtop.bpf.event.args import split_args
from ringtop.bpf.event.batch import Batch
from ringtop.tui.model.store import Life
from ringtop.tui.model.wall import Wall
from ringtop.tui.process.card import Card
from ringtop.tui.text import format, text
from ringtop.tui.text.shell import shell_line
from ringtop.tui.text.text import safe

PRESENCE = {
    "here": "",
    "gone": "gone: only its events are known",
    "hidden": "it exists, but this user may not see it (/proc is mounted with hidepid): only its events are known",
    "reused": "gone, and a new process has its id: only its events are known",
    "elsewhere": "not of this host and time: only its events are known",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """A labelled text about a process."""

    label: str
    text: str
    tone: str = ""
    """``failed`` for bad news, ``dim`` for less important facts."""


@dataclass(frozen=True, slots=True)
class EventFacts:
    """The facts about a process in its events; each comes from the newest event that has it."""

    comm: bytes | None = None
    ppid: int | None = None
    uid: int | None = None
    filename: bytes | None = None
    command: tuple[bytes, ...] | None = None
    first_ts: int | None = None
    """The timestamp of the first event (kernel's clock, ns)."""
    last_ts: int | None = None
    events: int = 0
    newest: int = 0
    """How many of the newest events these facts come from."""
    truncated: bool = False
    """Whether the command had more arguments than the event holds."""
    parent: bytes = b""
    """The parent's name; empty where it is not known."""
    origin_pid: int | None = None
    """The process that forked this one."""
    origin: bytes = b""
    unit: bytes = b""
    container: bytes = b""


def event_facts(timeline: Life) -> EventFacts:
    """The facts in the events of *timeline*."""
    if not len(timeline):
        return EventFacts()
    first_ts, last_ts = (int(timeline.batches[p].rows["ts"][i]) for p, i in (timeline.order[0], timeline.order[-1]))
    program, at = timeline.order[-1]
    newest = timeline.batches[program].take(slice(at, at + 1))
    execs = timeline.batches.get("execsnoop")
    started = _last_exec(execs) if execs is not None else None
    return EventFacts(
        comm=newest.text("comm")[0],
        ppid=newest.number("ppid", 0),
        parent=newest.text("parent")[0],
        origin_pid=newest.number("origin_pid", 0),
        origin=newest.text("origin")[0],
        uid=newest.number("uid", 0),
        unit=newest.text("unit")[0],
        container=newest.text("container")[0],
        filename=started.text("filename")[0] if started else None,
        command=_arguments(started) if started else None,
        first_ts=first_ts,
        last_ts=last_ts,
        events=timeline.total,
        newest=len(timeline),
        truncated=bool(started.rows["truncated"][0]) if started else False,
    )


def _last_exec(execs: Batch) -> Batch | None:
    done = execs.take(execs.rows["ret"] == 0)
    return done.take(slice(len(done) - 1, len(done))) if len(done) else None


def _arguments(started: Batch) -> tuple[bytes, ...]:
    return tuple(split_args(started.text("argv")[0], int(started.rows["argc"][0])))


def headline(pid: int, card: Card, known: EventFacts) -> str:
    """The PID and name of the process, its status, and whether it still exists."""
    comm = card.comm if card.comm is not None else known.comm
    name = text.visible(comm) if comm is not None else ""
    ended = "gone" if card.presence == "gone" and card.started is not None else PRESENCE[card.presence]
    return "  ".join(filter(None, (str(pid), name, card.status or "", ended)))


def facts(card: Card, known: EventFacts, wall: Wall | None = None, zone: tzinfo | None = None) -> list[Fact]:
    """All known facts; the command is last because it may be long."""
    found = list(_card(card, zone) if card.started is not None else _from_events(known))
    if known.origin_pid is not None and known.origin_pid != (card.ancestors[0].pid if card.ancestors else known.ppid):
        found.insert(0, Fact("forked by", f"{text.visible(known.origin)} {known.origin_pid}, no longer its parent"))
    if known.first_ts is not None and known.last_ts is not None:
        first, last = (format.clock(wall.ns(ts) if wall else ts, zone) for ts in (known.first_ts, known.last_ts))
        count = format.count(known.newest)
        count = count if known.newest == known.events else f"the newest {count} of {format.count(known.events)}"
        found.append(Fact("events", f"{count}, {first} to {last}"))
    if card.command:
        found.append(Fact("command", shell_line(card.command, card.truncated)))
    elif known.command:
        found.append(Fact("command", shell_line(known.command, known.truncated)))
    elif card.started is not None and card.command == () and card.exe is None and card.status != "zombie":
        found.append(Fact("command", "a kernel thread", "dim"))
    return found


def _card(card: Card, zone: tzinfo | None) -> Iterator[Fact]:
    if card.ancestors:
        yield Fact("started by", " < ".join(f"{text.visible(a.comm)} {a.pid}" for a in card.ancestors))
    if card.user is not None:
        yield Fact("user", f"{safe(card.user)} ({card.uid})")
    member = card.membership
    if member.container:
        pod = f", pod {safe(member.pod)}" if member.pod else ""
        yield Fact("container", f"{safe(member.runtime)} {safe(member.short)}{pod}")
    if member.unit:
        yield Fact("unit", safe(member.unit))
    if member.path:
        yield Fact("cgroup", safe(member.path), "dim")
    if card.started is not None:
        yield Fact("started", _since(card.started, zone))
    if card.exe is not None:
        yield Fact("program", text.visible(card.exe), "failed" if card.exe.endswith(b" (deleted)") else "")
    if card.cwd is not None:
        yield Fact("directory", text.visible(card.cwd))
    numbers = [
        format.several(card.threads, "thread") if card.threads is not None else "",
        f"nice {card.nice}" if card.nice is not None else "",
        f"CPUs {ranges(card.affinity)}" if card.affinity else "",
        f"{format.size(card.rss_bytes)} resident" if card.rss_bytes is not None else "",
        f"{card.cpu_s:.1f} s of CPU" if card.cpu_s is not None else "",
    ]
    yield Fact("runs with", ", ".join(filter(None, numbers)))
    if card.denied:
        yield Fact("not shown", f"{', '.join(card.denied)}: only its owner and root may see this", "failed")


def _from_events(known: EventFacts) -> Iterator[Fact]:
    if known.filename:
        yield Fact("program", text.visible(known.filename))
    if known.ppid is not None:
        yield Fact("started by", f"{text.visible(known.parent)} {known.ppid}".lstrip())
    if known.uid is not None:
        yield Fact("user", str(known.uid))
    if known.container:
        yield Fact("container", text.visible(known.container))
    if known.unit:
        yield Fact("unit", text.visible(known.unit))


def _since(started: float, zone: tzinfo | None) -> str:
    try:
        when = datetime.fromtimestamp(started, zone).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return "-"
    return f"{when}, {format.uptime(int(time.time() - started))} ago"


def ranges(numbers: tuple[int, ...]) -> str:
    """CPU numbers as ranges: '0-3,8' for 0, 1, 2, 3 and 8."""
    groups: list[list[int]] = []
    for n in sorted(numbers):
        if groups and n == groups[-1][-1] + 1:
            groups[-1].append(n)
        else:
            groups.append([n])
    return ",".join(str(g[0]) if len(g) == 1 else f"{g[0]}-{g[-1]}" for g in groups)
