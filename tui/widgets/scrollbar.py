"""The position of a scroll bar's thumb. Pure functions."""

from __future__ import annotations


def thumb(top: int, rows: int, count: int) -> range:
    """The rows that the thumb covers; empty when everything fits."""
    if count <= rows or rows <= 0:
        return range(0)
    size = max(1, rows * rows // count)
    start = round(top / (count - rows) * (rows - size))
    return range(start, start + size)


def position(y: int, rows: int, count: int) -> int:
    """The topmost line to show when the bar is dragged to row *y*."""
    if count <= rows or rows <= 1:
        return 0
    return max(0, min(count - rows, round(y / (rows - 1) * (count - rows))))
