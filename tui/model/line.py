"""The lines of a view: the rows of a table, and before each row a possible gap for lost events and notes.

A line is a number, so that lines can be sorted, searched and kept in an array: 2n + 1 is row n, and 2n is the gap just
before it. Only this module relies on that. Each function takes one line or row, or an array of them.
"""

from __future__ import annotations

from typing import TypeVar, overload

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
_N = TypeVar("_N", int, Numbers)


def line_of(row: _N) -> _N:
    """The line of *row*."""
    return 2 * row + 1


def gap_before(row: _N) -> _N:
    """The line of the gap between *row* and the row before it."""
    return 2 * row


def row_of(line: _N) -> _N:
    """The row of *line*; for a gap, the row after it."""
    return line >> 1


@overload
def is_row(line: int) -> bool: ...
@overload
def is_row(line: Numbers) -> NDArray[np.bool_]: ...
def is_row(line: int | Numbers) -> bool | NDArray[np.bool_]:
    """Whether *line* is a row, not a gap."""
    return line & 1 == 1
