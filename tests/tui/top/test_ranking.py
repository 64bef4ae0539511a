"""The cursor of a ranked table, and the rows in sight."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ringtop.tui.top.ranking import Ranking
from ringtop.tui.top.top import Top
from tests.tui.top.events import MS, START, S, waits

ROWS = 8


class Desk:
    """Forty threads that waited, of which ``t00`` waited longest; eight of them are in sight."""

    def __init__(self) -> None:
        self.top = Top(["runqslower"], seed=bytes(16))
        for i in range(40):
            self.wait(f"t{i:02}", (40 - i) * MS)
        self.now = 0.0
        self.ranking = Ranking(self.top, "runqslower", lambda: self.now)
        self.ranking.fit(ROWS)

    def wait(self, name: str, ns: int) -> None:
        self.top.take(waits(name.encode(), [ns]))

    def pass_by(self, *names: str) -> None:
        """Let *names* wait much longer than all, until that is in the order."""
        for at, name in enumerate(names):
            self.wait(name, (1 << at) * S)
        for _ in range(4):
            self.now += 6
            self.top.tick(START + int(self.now * S))
            assert self.shown

    @property
    def shown(self) -> list[str]:
        return [row.key[0].decode() for row in self.ranking.report.rows]

    @property
    def chosen(self) -> str:
        assert self.ranking.row is not None
        return self.ranking.row.key[0].decode()


@pytest.fixture
def desk() -> Iterator[Desk]:
    found = Desk()
    assert found.shown == [f"t{i:02}" for i in range(ROWS)]
    yield found


LATE = [f"t{i}" for i in range(20, 20 + ROWS)]


def test_the_top_stays_in_sight_when_the_row_under_the_cursor_sinks(desk: Desk) -> None:
    desk.ranking.move(1)
    assert desk.chosen == "t01"
    desk.pass_by(*LATE)
    assert desk.shown == [*LATE[:0:-1], "t01"]
    assert (desk.chosen, desk.ranking.line, desk.ranking.cursor) == ("t01", ROWS - 1, ROWS + 1)
    assert desk.ranking.sight == "1-7, 10"
    report = desk.ranking.report
    assert sum(row.events for row in report.rows) + report.others.events == report.events


def test_a_row_that_rises_above_the_rows_in_sight_stands_first(desk: Desk) -> None:
    desk.ranking.go(20)
    before = desk.shown
    assert before == [f"t{i}" for i in range(13, 21)]
    desk.ranking.point(3)
    desk.pass_by("t16")
    assert desk.shown == ["t16", "t13", "t14", "t15", "t17", "t18", "t19", "t20"]
    assert (desk.chosen, desk.ranking.line, desk.ranking.cursor) == ("t16", 0, 0)
    assert desk.ranking.sight == "1, 15-21"


def test_the_cursor_moves_to_the_rows_seen_beside_it(desk: Desk) -> None:
    desk.ranking.move(1)
    desk.pass_by(*LATE)
    above = desk.shown[-2]
    desk.ranking.move(-1)
    assert (desk.chosen, desk.ranking.first) == (above, 0)


def test_further_on_are_the_rows_that_rank_after_it(desk: Desk) -> None:
    desk.ranking.move(1)
    desk.pass_by(*LATE)
    desk.ranking.move(1)
    assert desk.chosen == "t02"
    assert desk.shown[-2:] == ["t01", "t02"]


def test_a_row_without_events_in_the_window_is_still_there(desk: Desk) -> None:
    desk.ranking.move(1)
    desk.ranking.next_window()
    desk.now = 60
    desk.top.tick(START + 60 * S)
    desk.wait("new", MS)
    desk.ranking.renew()
    assert desk.ranking.window == "10s"
    assert desk.chosen == "t01"


def test_a_pinned_row_stays_under_the_cursor(desk: Desk) -> None:
    desk.ranking.go(20)
    desk.ranking.pin()
    assert (desk.chosen, desk.ranking.cursor, desk.ranking.line) == ("t20", 0, 0)


def test_to_let_go_shows_the_top_with_no_row_chosen(desk: Desk) -> None:
    desk.ranking.go(20)
    desk.ranking.release()
    desk.pass_by(*LATE)
    assert desk.shown == LATE[::-1]
    assert desk.ranking.cursor == 0


def test_one_line_is_the_row_under_the_cursor(desk: Desk) -> None:
    desk.ranking.move(1)
    desk.ranking.fit(1)
    assert desk.shown == ["t01"]
    assert desk.ranking.sight == "2"


def test_frozen_values_stay_wherever_the_cursor_goes(desk: Desk) -> None:
    ranking = desk.ranking
    before = {row.id: row for row in desk.top.report("runqslower", rows=40).rows}
    ranking.freeze(True)
    desk.pass_by("t20", "t39")
    desk.wait("new", S)
    seen = {}
    for by in (*[ROWS] * 5, -3, -40):
        ranking.move(by)
        report = ranking.report
        seen |= {row.id: row for row in report.rows}
        assert sum(row.events for row in report.rows) + report.others.events == report.events == len(before)
        assert len(report.rows) + report.others.keys == report.keys == len(before)
    assert len(seen) == 40
    assert seen == before
    ranking.release()
    assert desk.shown[0] == "t39"
