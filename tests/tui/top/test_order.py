"""Rows are ranked, and still enough to be read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.top.order import Order
from ringtop.tui.top.top import Top
from tests.tui.top.events import START, S


class Clock:
    """Seconds, as they are set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def arranged(order: Order, last_ns: int = 0, /, **values: float) -> str:
    """The names in order; all had an event at *last_ns*."""
    names = sorted(values)
    ids = np.array([ord(name) for name in names], np.uint64)
    found = order.arrange(ids, np.array([values[name] for name in names]), np.full(len(names), last_ns))
    return "".join(chr(i) for i in found.tolist())


Pace = tuple[float, float]
"""Seconds between two looks at the screen, and to the first."""
PACES = (0.5, 0.3), (1.0, 0.7), (2.0, 0.1), (0.7, 0.0)


def screens(rates: list[dict[bytes, int]], *paces: Pace) -> list[list[tuple[bytes, ...]]]:
    """What a screen of each pace shows of events that come at *rates*, one for each second, window 10 s."""
    clock, top = Clock(), Top(["runqslower"])
    orders, due = [Order(clock) for _ in paces], [first for _, first in paces]
    shown: list[list[tuple[bytes, ...]]] = [[] for _ in paces]
    for second, rate in enumerate(rates):
        for tenth in range(10):
            rows = np.zeros(sum(rate.values()) // 10, SCHEMAS["runqslower"].dtype)
            rows["comm"] = np.repeat(list(rate), [count // 10 for count in rate.values()])
            rows["ts"] = START + second * S + tenth * S // 10
            top.take(Batch("runqslower", rows, b""))
            clock.now = second + (tenth + 1) / 10
            top.tick(START + int(clock.now * S))
            for number, (step, _) in enumerate(paces):
                while due[number] <= clock.now:
                    report = top.report("runqslower", "10s", "count", order=orders[number])
                    shown[number].append(tuple(row.key[0] for row in report.rows))
                    due[number] += step
    return shown


def test_rows_that_change_places_each_second_do_not_move() -> None:
    rates = [{b"a": 1000 + 50 * (i % 2), b"b": 1050 - 50 * (i % 2)} for i in range(62)]
    for (step, _), shown in zip(PACES, screens(rates, *PACES), strict=True):
        assert len(set(shown[int(2 / step) :])) == 1, step


def test_a_row_that_doubles_passes_within_four_seconds() -> None:
    before = [{b"a": 1050, b"b": 1000}] * 30
    (shown,) = screens(before + [{b"a": 1050, b"b": 2000}] * 4, (0.5, 0.3))
    assert shown[59] == (b"a", b"b")
    assert shown[-1] == (b"b", b"a")


def test_a_little_more_is_enough_after_three_rounds() -> None:
    clock = Clock()
    order = Order(clock)
    assert arranged(order, a=100, b=99) == "ab"
    seen = []
    for more in range(4):
        clock.now += 2
        seen.append(arranged(order, more + 1, a=100, b=105))
    assert seen == ["ab", "ab", "ba", "ba"]


def test_less_than_a_hundredth_more_is_not_enough_while_something_happens() -> None:
    clock = Clock()
    order = Order(clock)
    assert arranged(order, a=1000, b=999) == "ab"
    for more in range(20):
        clock.now += 2
        assert arranged(order, more + 1, a=1000, b=1005) == "ab"
    clock.now += 2
    assert arranged(order, 20, a=1000, b=1005) == "ba", "nothing happened since the round before"


def test_it_moves_every_two_seconds_at_most() -> None:
    clock = Clock()
    order = Order(clock)
    arranged(order, a=100, b=50)
    clock.now = 1.9
    assert arranged(order, a=100, b=500) == "ab"
    clock.now = 2.0
    assert arranged(order, a=100, b=500) == "ba"


def test_a_row_with_much_more_goes_straight_up() -> None:
    clock = Clock()
    order = Order(clock)
    assert arranged(order, a=100, b=98, c=97, d=1) == "abcd"
    clock.now = 2
    assert arranged(order, a=100, b=98, c=97, d=300) == "dabc"


def test_after_a_cursor_key_it_stays_for_five_seconds() -> None:
    clock = Clock()
    order = Order(clock)
    arranged(order, a=2, b=1)
    clock.now = 10
    order.touch()
    for clock.now in (10.0, 12.5, 14.9):
        assert order.resting
        assert arranged(order, a=2, b=200) == "ab"
    clock.now = 15.0
    assert not order.resting
    assert arranged(order, a=2, b=200) == "ba"


def test_it_can_be_held_and_let_go() -> None:
    clock = Clock()
    order = Order(clock)
    arranged(order, a=2, b=1)
    order.held = True
    clock.now = 100
    assert arranged(order, a=2, b=200, c=900) == "abc", "what is new comes last"
    order.release()
    assert arranged(order, a=2, b=200, c=900) == "cba"


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 50).map(float), min_size=1), min_size=1, max_size=8
    ),
    st.booleans(),
)
def test_all_rows_are_there_once_and_come_to_rest_ranked(rounds: list[dict[str, float]], exactly: bool) -> None:
    clock = Clock()
    order = Order(clock)
    for values in rounds:
        clock.now += 2
        assert sorted(arranged(order, **values)) == sorted(values)
    for _ in range(2):
        clock.now += 2
        found = arranged(order, **rounds[-1])
    ranked = [rounds[-1][name] for name in found]
    assert ranked == sorted(ranked, reverse=True)


def test_what_is_pinned_stands_above_all() -> None:
    order = Order(Clock())
    ids = np.arange(1, 6, dtype=np.uint64)
    found = order.arrange(ids, np.array([5.0, 4, 3, 2, 1]), np.zeros(5, np.int64), top=[4, 99])
    assert found.tolist() == [4, 1, 2, 3, 5]


def test_below_the_rows_that_are_read_it_is_exact() -> None:
    clock = Clock()
    order = Order(clock)
    ids = np.arange(1, 5001, dtype=np.uint64)
    values = np.random.default_rng(1).random(5000)
    for _ in range(3):
        clock.now += 2
        found = order.arrange(ids, values, np.zeros(5000, np.int64))
    assert found.tolist() == ids[np.argsort(-values)].tolist()


def test_ids_are_looked_up_for_all_rows_together(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    isin = np.isin

    def counted(*given: Any) -> Any:
        calls.append(given)
        return isin(*given)

    ids, order = np.arange(2000, dtype=np.uint64), Order(lambda: 3.0 * len(calls))
    order.arrange(ids, ids.astype(np.float64), np.zeros(2000, np.int64))
    monkeypatch.setattr(np, "isin", counted)
    order.arrange(ids, ids.astype(np.float64), np.zeros(2000, np.int64))
    assert 0 < len(calls) < 10
