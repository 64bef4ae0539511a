"""Regular expressions of a filter, searched in text that an attacker may have chosen.

RE2 searches in a time that is linear in the length of the text, whatever the pattern. That is why it knows neither
look-around nor back-references. Patterns and texts are bytes, and each byte is one character, as in a file name.
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
"""Longest pattern in characters."""
MAX_MEMORY = 1 << 20
"""Bytes that RE2 may use for one compiled pattern and the states it caches while it searches."""

_NOT_BY_LINE = re.compile(rb"\\[AzC]|\(\?[A-Za-z]*-")
"""What may mean something else where the values are the lines of one text: the text's ends, any byte, cleared flags."""
_HINTS = {
    b"(?=": "look-ahead is not supported",
    b"(?!": "look-ahead is not supported",
    b"(?<=": "look-behind is not supported",
    b"(?<!": "look-behind is not supported",
    b"(?P": "only (?P<name>...) is supported of what begins with (?P",
    rb"\Z": r"the end of the text is written $ or \z",
    **{rb"\%d" % n: "a reference back to a group is not supported" for n in range(1, 10)},
}


class PatternError(ValueError):
    """The pattern is not one; *position* in characters, or 0 when it is about the whole."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


Search = Callable[[bytes, int, int], list[tuple[int, int]]]
"""Where the first match in a part of a text starts and stops (then its groups); (-1, -1) where there is none."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled regular expression. It may match anywhere in a value; ``.`` is any byte."""

    text: str
    _one: Search = field(compare=False, repr=False)
    """Searches one value."""
    _lines: Search | None = field(compare=False, repr=False)
    """Searches values that are the lines of one text, for lines that follow each other and all have a match. None where
    the pattern would mean something else there."""

    def search(self, values: Sequence[bytes]) -> NDArray[np.bool_]:
        """Whether each value has a match, shape (len(values),)."""
        if self._lines is None:
            return np.fromiter(map(self._has_match, values), np.bool_, len(values))
        text = b"\n".join([*values, b""])
        if text.count(b"\n") == len(values):
            return self._search_lines(self._lines, text)
        # Few values have a newline in them. They are searched one by one.
        apart = [i for i, value in enumerate(values) if b"\n" in value]
        found = self.search([b"" if b"\n" in value else value for value in values])
        found[apart] = [self._has_match(values[i]) for i in apart]
        return found

    def _has_match(self, value: bytes) -> bool:
        return self._one(value, 0, len(value))[0][0] >= 0

    @staticmethod
    def _search_lines(search: Search, text: bytes) -> NDArray[np.bool_]:
        """Whether each line of *text* has a match.

        A call takes as long as searching some hundred bytes, so there is one for each run of lines, not for each line.
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
    """Raises PatternError."""
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
    """What searches for the pattern, and what is wrong with it: empty when nothing is."""
    from re2 import _re2  # where no filter has a pattern, it is not loaded

    options = _re2.RE2.Options()
    options.encoding = options.Encoding.LATIN1
    options.max_mem = MAX_MEMORY
    options.never_capture = options.dot_nl = True
    options.never_nl = never_nl
    options.log_errors = False
    program = _re2.RE2(raw, options)
    return partial(program.Match, _re2.RE2.Anchor.UNANCHORED), program.error()


def _explain(raw: bytes, error: bytes) -> PatternError:
    """*error* is "what: where", and "where" the wrong part of the pattern, all of it, or nothing."""
    what, _, where = error.partition(b": ")
    if where in (b"", raw):
        at = max(end for end in range(len(raw)) if not _compile(raw[:end])[1])
    else:
        # The same characters may stand earlier, and be right there.
        places = [m.start() for m in re.finditer(re.escape(where), raw)]
        at = next((at for at, end in pairwise([*places, len(raw)]) if _compile(raw[:end])[1] == error), 0)
    message = _HINTS.get(where, f"bad pattern: {what.decode()}")
    return PatternError(message, len(raw[:at].decode("utf-8", "replace")))
