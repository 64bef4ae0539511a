"""A time of the kernel's clock has one wall-clock time, whenever it is looked at."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.common.clock import STEP_NS
from ringtop.tui.model.wall import Wall

WALL = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


@given(st.lists(st.integers(-STEP_NS // 2 + 1, STEP_NS // 2 - 1), min_size=1, max_size=50), st.integers(0, 50 * SECOND))
def test_a_measurement_that_jitters_moves_no_time(jitter: list[int], ts: int) -> None:
    wall = Wall()
    wall.begin(WALL)
    shown = wall.ns(ts)
    for second, noise in enumerate(jitter, 1):
        wall.set(WALL + noise, second * SECOND)
        assert wall.ns(ts) == shown


def test_a_clock_that_is_set_counts_from_then_on() -> None:
    wall = Wall()
    wall.begin(WALL)
    before = wall.ns(4 * SECOND)
    wall.set(WALL + 3600 * SECOND, 5 * SECOND)
    assert wall.ns(4 * SECOND) == before == WALL + 4 * SECOND
    assert wall.ns(5 * SECOND) == WALL + 3605 * SECOND
    wall.set(WALL, 7 * SECOND)
    assert [wall.ns(s * SECOND) - WALL for s in (4, 6, 8)] == [4 * SECOND, 3606 * SECOND, 8 * SECOND]


def test_another_machine_has_its_own() -> None:
    wall = Wall()
    assert wall.ns(7) == 7
    wall.begin(WALL)
    wall.set(WALL + 5 * SECOND, SECOND)
    wall.begin(WALL + 5 * SECOND + 100)  # the same machine: nothing moves
    assert wall.ns(0) == WALL
    wall.begin(23)
    assert wall.ns(0) == 23


def test_a_slewed_clock_takes_a_bounded_memory() -> None:
    wall = Wall()
    wall.begin(WALL)
    for second in range(5000):
        wall.set(WALL + second * 2 * STEP_NS, second * SECOND)
    assert len(wall._since) == len(wall._offsets) <= 4096
    assert wall.ns(4999 * SECOND) == WALL + 4999 * (SECOND + 2 * STEP_NS)
    assert wall.ns(0) == WALL
