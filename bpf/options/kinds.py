"""The kinds of values that an option can have: the values each accepts, and its error for all others."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from ringtop.bpf.common import sizes
from ringtop.bpf.common.transports import MOST_SECONDS


class OptionKind(Protocol):
    """A kind of value that an option can have."""

    @property
    def metavar(self) -> str:
        """The placeholder for a value in a help text."""

    @property
    def limits(self) -> str:
        """The possible values, as a help text describes them; empty where no description is needed."""

    def read(self, given: object) -> Any:
        """Convert *given*, a text from a command line or a value from TOML, to its value. Raises ValueError."""


@dataclass(frozen=True, slots=True)
class Text:
    """Any text."""

    metavar: str = "TEXT"
    limits: str = ""

    def read(self, given: object) -> str:
        """The text itself."""
        if not isinstance(given, str):
            raise ValueError(f"{given!r:.40} is not text")
        if "\0" in given:
            raise ValueError(f"{given!r:.40} has a NUL in it, which no name can have")
        return given


@dataclass(frozen=True, slots=True)
class Name(Text):
    """A text that is not empty, as that of a variable which is not set would be."""

    def read(self, given: object) -> str:
        """The text itself."""
        text = Text.read(self, given)
        if not text:
            raise ValueError("a name is missing: the text is empty")
        return text


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: Collection[str]
    limits: str = ""

    @property
    def metavar(self) -> str:
        """All the words."""
        return f"[{'|'.join(self.words)}]"

    def read(self, given: object) -> str:
        """The word itself."""
        if not isinstance(given, str) or given not in self.words:
            raise ValueError(f"{given!r:.40} is not one of {', '.join(self.words)}")
        return given


@dataclass(frozen=True, slots=True)
class Flag:
    """Yes or no. On a command line there is one flag for each."""

    no: str
    """The name of the flag for no, without dashes."""
    metavar: str = ""
    limits: str = ""

    def read(self, given: object) -> bool:
        """The value itself."""
        if not isinstance(given, bool):
            raise ValueError(f"{given!r:.40} is not true or false")
        return given


@dataclass(frozen=True, slots=True)
class Number:
    """A number from *least* to *most*, both included."""

    type: type[int] | type[float]
    least: float
    most: float
    metavar: str = "NUMBER"

    @property
    def limits(self) -> str:
        """The least and the largest number."""
        return f"{self.least} to {self.most}"

    def read(self, given: object) -> int | float:
        """The number."""
        number = None
        if isinstance(given, str):
            with suppress(ValueError):
                number = self.type(given)
        elif isinstance(given, int | self.type) and not isinstance(given, bool):
            number = given
        if number is None or not self.least <= number <= self.most:
            whole = "whole " if self.type is int else ""
            raise ValueError(f"{given!r:.40} is not a {whole}number from {self.limits}")
        return self.type(number)


@dataclass(frozen=True, slots=True)
class Memory:
    """An amount of memory, in bytes."""

    metavar: str = "SIZE"
    limits: str = "at most half of the machine's memory"

    def read(self, given: object) -> int:
        """The amount in bytes."""
        text = _size_text(given)
        amount = sizes.parse_bytes(text)
        half = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 21 << 20
        if amount > half:
            raise ValueError(f"{text[:40]} is more than half of this machine's memory, which is {sizes.human(half)}")
        return amount


@dataclass(frozen=True, slots=True)
class BufferSize:
    """The size of a buffer, in bytes."""

    metavar: str = "SIZE"
    limits: str = f"a power of two, {sizes.human(sizes.PAGE)} to {sizes.human(sizes.LARGEST)}"

    def read(self, given: object) -> int:
        """The size in bytes."""
        return sizes.parse_size(_size_text(given))


def _size_text(given: object) -> str:
    """Return a size as text: in TOML it may be a text or a number of bytes."""
    if isinstance(given, bool) or not isinstance(given, int | str):
        raise sizes.not_a_size(given)
    return str(given)


@dataclass(frozen=True, slots=True)
class Wakeup:
    """A wakeup mode."""

    metavar: str = "MODE"
    limits: str = f"N is 1 to {sizes.MOST_EVENTS}"

    def read(self, given: object) -> str:
        """The text itself."""
        text = Text().read(given)
        sizes.parse_wakeup(text)
        return text


@dataclass(frozen=True, slots=True)
class Seconds:
    """The length of a comparison."""

    metavar: str = "SECONDS"
    limits: str = f"at most {MOST_SECONDS}"

    def read(self, given: object) -> float:
        """The number of seconds, written as '10' or '2.5s'."""
        text = Text().read(given)
        found = re.fullmatch(r"\s*([0-9]{1,4}(?:\.[0-9]{1,3})?)\s*s?\s*", text)
        if not found or not 0 < float(found[1]) <= MOST_SECONDS:
            raise ValueError(f"{text!r:.40} is not a number of seconds above 0, {self.limits}")
        return float(found[1])


@dataclass(frozen=True, slots=True)
class DisplayFilter:
    """An expression of the filter language."""

    metavar: str = "EXPR"
    limits: str = ""

    def read(self, given: object) -> str:
        """The text itself. Raises FilterError, which is a ValueError."""
        text = Text().read(given)
        if text:
            from ringtop.bpf.filter import parse  # takes long to import

            parse(text)
        return text


@dataclass(frozen=True, slots=True)
class CaptureFilter:
    """An expression of the filter language that the kernel can check."""

    metavar: str = "EXPR"
    limits: str = ""

    def read(self, given: object) -> str:
        """The text itself. Raises FilterError, which is a ValueError."""
        text = Text().read(given)
        from ringtop.bpf.filter.capture import check_capture

        check_capture(text)
        return text
