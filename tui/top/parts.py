"""The parts that keys are made of. A part is hashed for a whole batch; only new keys need its label.

A label is raw bytes, at most LONGEST of them, without a NUL.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ringtop.bpf.event.command.command import LONGEST, shown
from ringtop.bpf.event.culprit import IDLE
from ringtop.bpf.event.names import Group
from ringtop.tui.top.commands import LEVELS
from ringtop.tui.top.events import Events
from ringtop.tui.top.hashing import Sums
from ringtop.tui.top.names import NOT_KNOWN
from ringtop.tui.top.text import Places

At = NDArray[np.intp]
"""Positions of events in a batch."""

RELATIVE = b"(relative)"
NONE = b"(none)"
"""In place of a unit or a container, for what belongs to none."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of keys."""

    name: str
    title: str
    """Title of its column."""
    about: str
    needs: tuple[str, ...]
    """Fields that an event must have for this part."""
    sums: Callable[[Events], Sums]
    labels: Callable[[Events, At], list[bytes]]

    @property
    def cut(self) -> bool:
        """Whether the label lacks something when arguments are cut."""
        return self.name in ("command", "argv")


def sums(part: Part, events: Events) -> Sums:
    """The hash sums of *part*, computed once for a batch; shape (n, 2)."""
    found = events.sums.get(part.name)
    if found is None:
        found = events.sums[part.name] = part.sums(events)
    return found


def _number(name: str, title: str, about: str, of_host: bool = False) -> Part:
    """A number. Where it is *of_host*, it is another one on each host, whose name stands before it."""

    def labels(events: Events, at: At) -> list[bytes]:
        unknown = events.batch.schema[name].unknown
        found = [NOT_KNOWN if value == unknown else b"%d" % value for value in events.rows[name][at].tolist()]
        if not (of_host and events.rows["host"].any()):
            return found
        hosts = events.batch.take(at).text("host")
        return [b" ".join(filter(None, pair)) for pair in zip(hosts, found, strict=True)]

    def hashed(events: Events) -> Sums:
        return events.of_host(name, name) if of_host else events.words(name, events.rows[name])

    return Part(name, title, about, (name,), hashed, labels)


Comms = Callable[[Events], NDArray[np.bytes_]]
"""Gives the name that each event has."""


def _told(field: str) -> Comms:
    return lambda events: events.rows[field]


def _told_unless_0(field: str, pid: str, other: bytes) -> Comms:
    """*field*, but *other* where the field *pid* is 0."""

    def names(events: Events) -> NDArray[np.bytes_]:
        found: NDArray[np.bytes_] = events.rows[field].copy()
        found[events.rows[pid] == 0] = other
        return found

    return names


def _parents(events: Events) -> NDArray[np.bytes_]:
    """Their names as the kernel side tells them; where it could not, as they are known otherwise."""
    comms: NDArray[np.bytes_] = events.rows["parent"].copy()
    if len(unknown := np.flatnonzero(comms == b"")):
        comms[unknown] = events.known.comms.of(events.processes("ppid")[unknown], events.now_ns)
    return comms


def _name(name: str, title: str, about: str, needs: tuple[str, ...], values: Comms) -> Part:
    def found(events: Events) -> NDArray[np.bytes_]:
        if name not in events.names:
            events.names[name] = values(events)
        return events.names[name]

    def labels(events: Events, at: At) -> list[bytes]:
        texts: list[bytes] = found(events)[at].tolist()
        return texts

    return Part(name, title, about, needs, lambda events: events.words(name, found(events)), labels)


def _grouped(name: str, title: str, about: str, label: Callable[[Group], bytes]) -> Part:
    """A part that the event's control group tells."""

    def told(events: Events) -> list[bytes]:
        return [label(group)[:LONGEST] for group in events.groups[0]]

    def hashed(events: Events) -> Sums:
        return events.known.hasher.labels(name, told(events))[events.groups[1]]

    def labels(events: Events, at: At) -> list[bytes]:
        texts = told(events)
        return [texts[of] for of in events.groups[1][at].tolist()]

    return Part(name, title, about, (), hashed, labels)


def _group(group: Group) -> bytes:
    return group.cgroup_path or (b"%d" % group.cgroup if group.cgroup else NOT_KNOWN)


def _belongs(text: bytes, group: Group) -> bytes:
    return text or (NONE if group.cgroup_path else NOT_KNOWN)


def _hosts(events: Events, at: At) -> list[bytes]:
    return events.batch.take(at).text("host")


def _outcomes(events: Events) -> Sums:
    field = events.batch.schema.outcome
    assert field is not None
    # Not every table is of one program, and their numbers mean different things.
    return events.words(field.kind, events.rows[field.part].astype(np.int32))


def _errors(events: Events, at: At) -> list[bytes]:
    field = events.batch.schema.outcome
    assert field is not None
    values = events.rows[field.part][at].tolist()
    return [b"ok" if field.kind == "result" and value >= 0 else field.word(value).encode() for value in values]


def _ops(events: Events, at: At) -> list[bytes]:
    field = events.batch.schema["op"]
    return [field.word(op).encode() for op in events.rows["op"][at].tolist()]


def _text(events: Events, at: At, start: Places, end: Places) -> list[bytes]:
    raw = events.batch.tails
    ends = np.minimum(end[at], start[at] + LONGEST).tolist()
    return [raw[a:b] for a, b in zip(start[at].tolist(), ends, strict=True)]


def _whole(name: str, field: str, title: str, about: str) -> Part:
    def hashed(events: Events) -> Sums:
        start, size = events.extent(field)
        return events.known.hasher.texts(name, events.text, start, size)

    def labels(events: Events, at: At) -> list[bytes]:
        start, size = events.extent(field)
        return [text.rstrip(b"\0").replace(b"\0", b" ") for text in _text(events, at, start, start + size)]

    return Part(name, title, about, (field,), hashed, labels)


def _command(level: str, about: str) -> Part:
    at_level = LEVELS.index(level)

    def labels(events: Events, at: At) -> list[bytes]:
        kinds = events.kinds
        return [shown(kinds.labels[kind][at_level]) for kind in kinds.of[at].tolist()]

    return Part(
        level,
        "COMMAND",
        about,
        ("filename", "argv"),
        lambda events: events.kinds.sums[events.kinds.of, at_level],
        labels,
    )


def _folder(name: str, depth: int, about: str) -> Part:
    """The directory of the path, cut to its first *depth* names unless *depth* is 0."""

    def ends(events: Events) -> tuple[Places, Places]:
        start, size = events.extent("full")
        end = events.text.last(b"/", start, start + size) + 1
        if depth:
            absolute = events.text.byte(start) == ord("/")
            cut = [events.text.first(b"/", start, end, depth - 1 + skip) + 1 for skip in (0, 1)]
            end = np.minimum(end, np.where(absolute, cut[1], cut[0]))
        return start, end

    def hashed(events: Events) -> Sums:
        start, end = ends(events)
        return events.known.hasher.texts(name, events.text, start, end - start)

    def labels(events: Events, at: At) -> list[bytes]:
        start, end = ends(events)
        texts = _text(events, at, start, end)
        return [text if text.startswith(b"/") else b" ".join(filter(None, (RELATIVE, text))) for text in texts]

    return Part(name, "WHERE", about, ("full",), hashed, labels)


def _pattern_sums(events: Events) -> Sums:
    prefix, prefix_end, suffix, end = _pattern(events)
    hasher = events.known.hasher
    return hasher.texts("before", events.text, prefix, prefix_end - prefix) + hasher.texts(
        "behind", events.text, suffix, end - suffix
    )


def _pattern(events: Events) -> tuple[Places, Places, Places, Places]:
    """Begin and end of the fixed parts of each name, around the part that varies: ``cc`` and ``.s`` of ``ccQz81.s``."""
    text = events.text
    start, size = events.extent("full")
    end = start + size
    begin = text.last(b"/", start, end) + 1
    hidden = text.byte(begin) == ord(".")
    stem = begin + hidden
    suffix = text.first(b".", np.minimum(stem, end), end)
    letters = text.first_not_lower(stem, suffix)
    prefix_end = np.where(letters < suffix, letters, stem)
    return begin, np.minimum(prefix_end, suffix), suffix, end


def _pattern_labels(events: Events, at: At) -> list[bytes]:
    prefix, prefix_end, suffix, end = _pattern(events)
    before = _text(events, at, prefix, prefix_end)
    behind = _text(events, at, suffix, end)
    return [b"%b#%b" % pair for pair in zip(before, behind, strict=True)]


PARTS: dict[str, Part] = {
    part.name: part
    for part in (
        _name("comm", "WHO", "name of the thread", (), _told("comm")),
        _name(
            "after",
            "AFTER",
            "thread that had the CPU before",
            ("prev_pid", "prev_comm"),
            _told_unless_0("prev_comm", "prev_pid", IDLE),
        ),
        _name("because", "BECAUSE OF", "who used the CPU during the wait", ("culprit_comm",), _told("culprit_comm")),
        _name("parent", "PARENT", "name of the parent", ("ppid",), _parents),
        _name(
            "origin",
            "ORIGIN",
            "process that forked it",
            ("origin_pid",),
            _told_unless_0("origin", "origin_pid", NOT_KNOWN),
        ),
        _number("pid", "PID", "process", of_host=True),
        _number("start_ns", "START_NS", "its start"),
        _number("tid", "TID", "thread", of_host=True),
        _number("uid", "UID", "user"),
        _number("cpu", "CPU", "CPU"),
        _grouped("unit", "UNIT", "systemd unit", lambda group: _belongs(group.unit, group)),
        _grouped("container", "CONTAINER", "container", lambda group: _belongs(group.container, group)),
        _grouped("cgroup", "CGROUP", "control group", _group),
        Part("host", "HOST", "host", (), lambda e: e.words("host", e.rows["host"]), _hosts),
        Part("error", "ERROR", "result", (), _outcomes, _errors),
        Part("op", "OP", "unlink or rmdir", ("op",), lambda e: e.words("op", e.rows["op"].astype(np.uint32)), _ops),
        _command("program", "program"),
        _command("subcommand", "program with its subcommand, script or wrapped program"),
        _command("command", "program, subcommand, option names"),
        _whole("argv", "argv", "COMMAND", "exact arguments"),
        _whole("exe", "filename", "FILE", "file given to execve"),
        _folder("dir", 0, "directory"),
        _folder("dir1", 1, "first name of the directory"),
        _folder("dir2", 2, "first two names of the directory"),
        _folder("dir3", 3, "first three names of the directory"),
        Part("name", "NAME", "pattern of the name", ("full",), _pattern_sums, _pattern_labels),
    )
}
"""All parts, by name."""
