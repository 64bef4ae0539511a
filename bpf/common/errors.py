"""Errors that users can mend."""

from __future__ import annotations

CANNOT_TRACE = 3
"""The exit status of a command that ends with CannotTrace."""


class CannotTrace(Exception):
    """This machine, kernel or user cannot do what was requested. The text says what happened, why, and the cure."""

    def __init__(self, what: str, why: str, cure: str) -> None:
        super().__init__(f"{what}: {why}\n{cure}")
        self.what, self.why, self.cure = what, why, cure


class FilterError(ValueError):
    """The filter *text* is wrong at *column* (in characters from 0). Message and text are not yet safe to show."""

    def __init__(self, message: str, text: str, column: int) -> None:
        super().__init__(message, text, column)
        self.message = message
        self.text = text
        self.column = column

    def __str__(self) -> str:
        return f"{self.message} (column {self.column + 1} of the filter)"
