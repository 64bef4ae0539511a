"""Regular expressions of a filter, compiled for text that an attacker may have chosen.

Python's engine backtracks, so a pattern decides how long a hostile text can keep it busy. What may take exponentially
long (a repeat of something that itself may match in several ways) is refused, and so is what has too many free parts.
That is an estimate on the strict side, not a proof. What people write most, plain parts with ``.*`` between them, is
searched in one pass over the text (``searcher``); other patterns are polynomial, and may be slow on long text.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable
from functools import lru_cache

MAX_PATTERN = 256
"""Longest pattern in characters."""

_STAR = 14.0
"""Weight of an unbounded repeat; a text has less than 2**14 places where it can stop."""
_CHOICE = 4.0
"""Weight of a choice between two."""
_MOST = 80.0

_TOKEN = re.compile(
    r"""(?P<atom>\(\?\#[^)]*\) | \\. | \[\^?\]?(?:\\.|[^\]\\])*\] | [^()|*+?{\\[] )
    | (?P<open>\((?:\?(?:P?<\w+>|P[=>]|<?[=!]|[:>]|[-a-zA-Z]*:?))?)
    | (?P<close>\)) | (?P<bar>\|)
    | (?P<repeat>[*+?]|\{(?:\d+(?:,\d*)?|,\d*)\})[?+]?
    | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


class PatternError(ValueError):
    """The pattern is not one; *position* in characters, or 0 when it is about the whole."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


def compile_pattern(pattern: str) -> re.Pattern[bytes]:
    """A pattern that searches bytes; '.' takes any byte, newline too. Raises PatternError."""
    if len(pattern) > MAX_PATTERN:
        raise PatternError(f"a pattern has at most {MAX_PATTERN} characters")
    try:
        raw = pattern.encode("utf-8", "surrogateescape")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled = re.compile(raw, re.DOTALL)
    except re.error as e:
        before = raw[: e.pos or 0].decode("utf-8", "replace")
        raise PatternError(f"bad pattern: {e.msg}", len(before)) from e
    except (OverflowError, RecursionError, UnicodeEncodeError) as e:
        raise PatternError(f"bad pattern: {e}") from e
    if compiled.flags & re.VERBOSE:
        raise PatternError("the flag x is not supported in a pattern")
    _check_cost(pattern)
    return compiled


class _Group:
    """Weight of a group while it is read: of its heaviest branch, of the branch at hand, of the last atom in that."""

    def __init__(self) -> None:
        self.heaviest = self.branch = self.atom = 0.0
        self.branches = 1

    def next(self, weight: float = 0.0) -> None:
        self.branch += self.atom
        self.atom = weight

    def bar(self) -> None:
        self.next()
        self.heaviest = max(self.heaviest, self.branch)
        self.branch = 0.0
        self.branches += 1

    def weight(self) -> float:
        self.next()
        return max(self.heaviest, self.branch) + _CHOICE * math.log2(self.branches)


@lru_cache(maxsize=64)
def searcher(pattern: re.Pattern[bytes]) -> Callable[[bytes], object]:
    """What tells (by not None) whether a text has a match of *pattern*; the match itself may be another.

    Between parts that match in one way only, the first place of each part after the one before is always good enough,
    so nothing is tried again: atomic groups say so to the engine.
    """
    text = pattern.pattern.decode("utf-8", "surrogateescape")
    parts = _parts(text)
    if len(parts) < 2 or any(map(_weight, parts)) or re.search(r"\\[1-9]|\(\?(?:P=|\()", text):
        return pattern.search
    try:
        chain = "".join(f"(?>.*?{part})" for part in parts)
        return re.compile(chain.encode("utf-8", "surrogateescape"), re.DOTALL).match
    except re.error:
        return pattern.search


def _parts(pattern: str) -> list[str]:
    """*pattern* cut at each ``.*`` that is in no group."""
    parts = []
    start = depth = 0
    dot: int | None = None
    for token in _TOKEN.finditer(pattern):
        depth += (token.lastgroup == "open") - (token.lastgroup == "close")
        if dot is not None and not depth and token.group() in ("*", "*?"):
            parts.append(pattern[start:dot])
            start = token.end()
        dot = token.start() if token.group() == "." else None
    return [*parts, pattern[start:]]


def _check_cost(pattern: str) -> None:
    if _weight(pattern) > _MOST:
        raise PatternError("too many repeats and choices in one pattern: hostile text could keep it busy")


def _weight(pattern: str) -> float:
    open_groups = [_Group()]
    for token in _TOKEN.finditer(pattern):
        group = open_groups[-1]
        match token.lastgroup:
            case "open":
                open_groups.append(_Group())
            case "close" if len(open_groups) > 1:
                weight = open_groups.pop().weight()
                open_groups[-1].next(weight)
            case "bar":
                group.bar()
            case "repeat":
                group.atom = _repeated(group.atom, token["repeat"], token.start())
            case _:
                group.next()
    return sum(g.weight() for g in open_groups)


def _repeated(weight: float, repeat: str, position: int) -> float:
    fewest, most = _bounds(repeat)
    if most is None:
        if weight:
            raise PatternError(
                "a repeat of something that itself has a repeat or a choice: hostile text could keep it busy", position
            )
        return _STAR
    return most * weight + min(_STAR, _CHOICE * math.log2(max(1, most - fewest + 1)))


def _bounds(repeat: str) -> tuple[int, int | None]:
    if repeat[0] != "{":
        return (1 if repeat == "+" else 0), (1 if repeat == "?" else None)
    low, comma, high = repeat[1:-1].partition(",")
    fewest = int(low or 0)
    return fewest, (int(high) if high else None) if comma else fewest
