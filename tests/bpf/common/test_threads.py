"""Calls side by side: all at once, none forgotten, and an error is not lost."""

from __future__ import annotations

import threading

import pytest

from ringtop.bpf.common.threads import side_by_side


def test_all_run_at_the_same_time() -> None:
    meeting = threading.Barrier(5, timeout=30)  # broken unless five wait together
    side_by_side([meeting.wait] * 5)
    side_by_side([])


def test_an_error_is_raised_when_the_others_have_returned() -> None:
    failed, done = threading.Event(), []

    def fail() -> None:
        failed.set()
        raise OSError("no")

    def later() -> None:
        failed.wait(120)
        done.append(1)

    with pytest.raises(OSError, match="no"):
        side_by_side([fail, later, later])
    assert done == [1, 1]
