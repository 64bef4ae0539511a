"""The regular expressions of a filter, which search text that an attacker may have chosen.

RE2 needs time linear in the length of the text for every pattern. The price is that it supports neither look-around
nor back-references. Patterns and texts are bytes, and each byte is one character, as in a file name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

MAX_PATTERN = 256
"""Length of the longest pattern, in characters."""
MAX_MEMORY = 1 << 20
"""Most bytes that RE2 may use for one compiled pattern, including the states it caches while it searches."""

_NOT_BY_LINE = re.compile(rb"\\[AzC]|\(\?[A-Za-z]*-")
"""Parts of a pattern that may change their meaning when the values are joined as the lines of one text: the ends of the
text, any byte, cleared flags."""
_HINTS = {
    b"(?=": "look-ahead is not supported",
    b"(?!": "look-ahead is not supported",
    b"(?<=": "look-behind is not supported",
    b"(?<!": "look-behind is not supported",
    b"(?P": "of the groups that begin with (?P, only (?P<name>...) is supported",
    rb"\Z": r"the end of the text is written $ or \z",
    **{rb"\%d" % n: "back-references are not supported" for n in range(1, 10)},
}


class PatternError(ValueError):
    """The pattern is invalid. *position* is in characters; it is 0 when the error is about the whole pattern."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


Search = Callable[[bytes, int, int], list[tuple[int, int]]]
"""Searches a part of a text; returns start and end of the first match (then its groups), or (-1, -1) if none."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled regular expression. It may match anywhere in a value; ``.`` is any byte."""

    text: str
    _one: Search = field(compare=False, repr=False)
    """Searches one value."""
    _lines: Search | None = field(compare=False, repr=False)
    """Searches values joined as the lines of one text, for runs of consecutive lines that all have a match. None where
    the pattern would change its meaning there."""

    def search(self, values: Sequence[bytes]) -> NDArray[np.bool_]:
        """Return a mask, shape (len(values),), that is True where a value has a match."""
        if self._lines is None:
            return np.fromiter(map(self._has_match, values), np.bool_, len(values))
        text = b"\n".join([*values, b""])
        if text.count(b"\n") == len(values):
            return self._search_lines(self._lines, text)
        # The few values that contain a newline are searched one by one.
        apart = [i for i, value in enumerate(values) if b"\n" in value]
        found = self.search([b"" if b"\n" in value else value for value in values])
        found[apart] = [self._has_match(values[i]) for i in apart]
        return found

    def _has_match(self, value: bytes) -> bool:
        return self._one(value, 0, len(value))[0][0] >= 0

    @staticmethod
    def _search_lines(search: Search, text: bytes) -> NDArray[np.bool_]:
        """Return for each line of *text* whether it has a match.

        One call costs as much as searching some hundred bytes, so there is one call per run of matching lines, not one
        per line.
        """
        ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n")) + 1
        turns: list[int] = []
        at = 0
        while at < len(text):
            start, at = search(text, at, len(text))[0]
            if start < 0:
                break
            turns += start, at
        turned = np.zeros(len(ends) + 1, np.bool_)
        turned[np.searchsorted(ends, turns, "right")] = True
        return np.logical_xor.accumulate(turned)[:-1]


def compile_pattern(text: str) -> Pattern:
    """Compile a pattern. Raises PatternError."""
    if len(text) > MAX_PATTERN:
        raise PatternError(f"a pattern has at most {MAX_PATTERN} characters")
    try:
        raw = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as e:
        raise PatternError(f"bad pattern: {e}") from e
    one, error = _compile(raw)
    if error:
        raise _explain(raw, error)
    lines, error = _compile(rb"(?m)(?:^.*(?:%b).*$\C)+" % raw, never_nl=True)
    return Pattern(text, one, None if error or _NOT_BY_LINE.search(raw) else lines)


def _compile(raw: bytes, never_nl: bool = False) -> tuple[Search, bytes]:
    """Return the search function of the pattern, and RE2's error, which is empty when the pattern is valid."""
    from re2 import _re2  # imported late, so that filters without a pattern do not load it

    options = _re2.RE2.Options()
    options.encoding = options.Encoding.LATIN1
    options.max_mem = MAX_MEMORY
    options.never_capture = options.dot_nl = True
    options.never_nl = never_nl
    options.log_errors = False
    program = _re2.RE2(raw, options)
    return partial(program.Match, _re2.RE2.Anchor.UNANCHORED), program.error()


def _explain(raw: bytes, error: bytes) -> PatternError:
    """Turn RE2's *error* into a PatternError with a position.

    *error* is "what: where"; "where" is the wrong part of the pattern, the whole pattern, or empty.
    """
    what, _, where = error.partition(b": ")
    if where in (b"", raw):
        at = max(end for end in range(len(raw)) if not _compile(raw[:end])[1])
    else:
        # The same characters may also stand earlier in the pattern, where they are valid.
        places = [m.start() for m in re.finditer(re.escape(where), raw)]
        at = next((at for at, end in pairwise([*places, len(raw)]) if _compile(raw[:end])[1] == error), 0)
    message = _HINTS.get(where, f"bad pattern: {what.decode()}")
    return PatternError(message, len(raw[:at].decode("utf-8", "replace")))
