"""The viewer gives way while tasks wait for a CPU, itself included."""

from __future__ import annotations

import pytest

from ringtop.tui.source import pace
from ringtop.tui.source.pace import BUSY_S, FEW_BYTES, REST_S, Pace

FRAME_S = 0.25


def frames(waits: list[float]) -> list[bool]:
    """Which frames are worked on, of those in which the viewer has waited so many seconds for a CPU."""
    now = waited = 0.0
    one = Pace(lambda: now, lambda: int(waited * 1e9))
    worked = []
    for wait in waits:
        now, waited = now + FRAME_S, waited + wait
        worked.append(one.due())
    return worked


def test_every_frame_is_worked_on_while_nobody_waits() -> None:
    assert all(frames([0.001] * 23))


def test_fewer_frames_are_worked_on_while_tasks_wait() -> None:
    worked = frames([0.02] * 41)
    assert sum(worked) == 1 + 40 * FRAME_S / BUSY_S


def test_the_usual_pace_comes_back() -> None:
    worked = frames([0.02] * 4 + [0.0] * 40)
    assert all(worked[-20:])
    assert not all(worked[:20])


@pytest.mark.parametrize("wait", [0.001, 0.02])
def test_a_reader_rests_between_reads_of_a_few_messages_while_tasks_wait(wait: float) -> None:
    now = waited = 0.0
    one = Pace(lambda: now, lambda: int(waited * 1e9))
    now, waited = FRAME_S, wait
    assert one.rest(FEW_BYTES - 1) == (REST_S if wait == 0.02 else 0.0)
    assert one.rest(FEW_BYTES) == 0.0


def test_the_kernel_tells_how_long_this_thread_has_waited() -> None:
    assert 0 < pace.waited_ns() < 1 << 62
