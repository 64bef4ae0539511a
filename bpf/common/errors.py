"""Failures that a user can do something about."""

from __future__ import annotations

CANNOT_TRACE = 3
"""Exit status of a command that ends with CannotTrace."""


class CannotTrace(Exception):
    """This machine, kernel or user cannot do what was asked: what happened, why, and the cure."""

    def __init__(self, what: str, why: str, cure: str) -> None:
        super().__init__(f"{what}: {why}\n{cure}")
        self.what, self.why, self.cure = what, why, cure
