"""Argument lists as they lie in memory: strings, each ended by a NUL."""

from __future__ import annotations


def split_args(raw: bytes, argc: int) -> list[bytes]:
    """At most *argc* arguments of *raw*, empty ones too; fewer when *raw* was cut, and then the last may be a part."""
    if not raw or argc <= 0:
        return []
    ended = raw[:-1] if raw.endswith(b"\0") else raw
    return ended.split(b"\0", argc)[:argc]


def join_args(raw: bytes, argc: int) -> bytes:
    """The arguments joined by spaces, as ``argv~…`` searches them."""
    return b" ".join(split_args(raw, argc))
