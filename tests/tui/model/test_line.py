"""Lines sort as they are shown: the gap before a row, then the row."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ringtop.tui.model.line import gap_before, is_row, line_of, row_of

ROWS = st.integers(0, 1 << 61)


@given(ROWS)
def test_a_row_and_its_gap_are_told_apart(row: int) -> None:
    assert (is_row(line_of(row)), is_row(gap_before(row))) == (True, False)
    assert row_of(line_of(row)) == row_of(gap_before(row)) == row


@given(ROWS)
def test_a_gap_is_between_its_row_and_the_one_before(row: int) -> None:
    assert line_of(row) < gap_before(row + 1) < line_of(row + 1)


@given(st.lists(ROWS, max_size=9))
def test_arrays_are_taken_like_single_ones(rows: list[int]) -> None:
    array = np.array(rows, np.int64)
    for single in (line_of, gap_before, row_of):
        assert single(array).tolist() == [single(row) for row in rows]
    assert is_row(array).tolist() == [is_row(row) for row in rows]
