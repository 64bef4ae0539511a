"""Errors with a cure that the user can apply."""

from __future__ import annotations

CANNOT_TRACE = 3
"""The exit status of a command that ends with CannotTrace."""


class CannotTrace(Exception):
    """This machine, kernel or user cannot do what was requested. The text says what happened, why, and the cure."""

    def __init__(self, what: str, why: str, cure: str) -> None:
        super().__init__(f"{what}: {why}\n{cure}")
        self.what, self.why, self.cure = what, why, cure
