"""The filter terms that select the events of a ranked row by its key. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from ringtop.bpf.event.command.command import LONGEST
from ringtop.bpf.event.culprit import IDLE
from ringtop.bpf.filter.regex import MAX_PATTERN
from ringtop.tui.model.completion import quoted
from ringtop.tui.top.names import NOT_KNOWN
from ringtop.tui.top.parts import NONE, RELATIVE, Part

_TEXTS = {
    "host": "host",
    "comm": "comm",
    "exe": "filename",
    "argv": "argv",
    "subcommand": "subcommand",
    "command": "command",
}
_NUMBERS = ("pid", "start_ns", "tid", "uid", "cpu")
_PLAIN = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_ "


def of_row(parts: Sequence[Part], key: Sequence[bytes]) -> str | None:
    """The filter for the events whose *parts* are those of *key*; None when the filter language cannot tell one."""
    found = [term(part.name, label) for part, label in zip(parts, key, strict=True)]
    known = [text for text in found if text is not None]
    return " and ".join(known) if len(known) == len(found) else None


def term(part: str, label: bytes) -> str | None:
    """The filter for the events whose *part* has *label*; None when the filter language cannot tell it."""
    if len(label) >= LONGEST:
        return None  # it may have been cut
    if part in _TEXTS:
        return f"{_TEXTS[part]}={quoted(label)}"
    if part in _NUMBERS:
        host, _, label = label.rpartition(b" ")
        of = f"host={quoted(host)} and " if host else ""
        return f"{of}{part}={'unknown' if label == NOT_KNOWN else label.decode('ascii')}"
    match part:
        case "origin":
            return "origin_pid=unknown" if label == NOT_KNOWN else f"origin={quoted(label)}"
        case "unit" | "container":
            words = {NOT_KNOWN: 'cgroup_path=""', NONE: f'{part}="" and cgroup_path!=""'}
            return words.get(label, f"{part}={quoted(label)}")
        case "cgroup":
            return f"cgroup_path={quoted(label)}" if label.startswith(b"/") else _cgroup(label)
        case "because":
            return f"culprit_comm={quoted(label)}"
        case "program":
            return _matches("subcommand", b"^", label, b"( |$)")
        case "after":
            return "prev_pid=0" if label == IDLE else f"prev_comm={quoted(label)}"
        case "error":
            return _outcome(label.decode("ascii"))
        case "op" if not label.isdigit():
            return f"op={label.decode('ascii')}"
        case "dir" | "dir1" | "dir2" | "dir3":
            path = label.removeprefix(RELATIVE).removeprefix(b" ") if label.startswith(RELATIVE) else label
            names = path.removeprefix(b"/").count(b"/")
            whole = part == "dir" or names < int(part[-1])
            return f"dir={quoted(path)}" if whole else _matches("dir", b"^", path, b"")
    return None


def _cgroup(label: bytes) -> str:
    return f"cgroup={'unknown' if label == NOT_KNOWN else label.decode('ascii')}"


def _outcome(word: str) -> str | None:
    if word == "ok":
        return "ret>=0"
    if word.isdigit() or word.startswith("SIG"):
        return f"status={word}"
    return f"ret={word}" if " " not in word else None


def _matches(field: str, before: bytes, text: bytes, behind: bytes) -> str | None:
    """The term for values of *field* that match *text*, taken literally, between two patterns."""
    literal = "".join(chr(byte) if byte in _PLAIN else f"\\x{byte:02x}" for byte in text)
    pattern = f"{before.decode()}{literal}{behind.decode()}"
    return f'{field}~"{pattern}"' if len(pattern) <= MAX_PATTERN else None
