"""Argument lists as the kernel keeps them in memory: strings, each ended by a NUL."""

from __future__ import annotations


def split_args(raw: bytes, argc: int) -> list[bytes]:
    """Return at most *argc* arguments of *raw*, empty ones included.

    When *raw* was cut, there are fewer, and the last one may be incomplete.
    """
    if not raw or argc <= 0:
        return []
    ended = raw[:-1] if raw.endswith(b"\0") else raw
    return ended.split(b"\0", argc)[:argc]


def join_args(raw: bytes, argc: int) -> bytes:
    """Return the arguments joined by spaces, which is the text that ``argv~…`` searches."""
    return b" ".join(split_args(raw, argc))
