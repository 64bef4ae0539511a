"""Where one is in a table, whatever comes, goes, and is hidden."""

from __future__ import annotations

import pytest

from ringtop.tui.model.place import Place
from ringtop.tui.model.store import Table
from ringtop.tui.model.view import Predicate, Sort, View
from tests.tui.model.test_store import changed
from tests.tui.model.test_view import by_pid, scan, waits

ROWS = 10


def place(count: int = 60, budget: int = 1 << 20) -> Place:
    view = View(Table("runqslower", budget))
    view.table.append(waits(0, count))
    made = Place(view)
    see(made)
    return made


def see(at: Place) -> None:
    scan(at.view)
    at.settle(ROWS)


def test_it_follows_the_newest_row_until_it_is_moved_up() -> None:
    here = place()
    assert (here.top, here.cursor, here.line) == (50, 59, 119)
    here.move(1)
    assert not here.view.frozen
    here.move(-1)
    here.view.table.append(waits(60, 5))
    see(here)
    assert (here.view.frozen, here.line) == (True, 117)
    here.follow()
    see(here)
    assert here.line == 129


@pytest.mark.parametrize("nobody", [by_pid(99), by_pid(2)])
def test_a_filter_hides_the_chosen_row_for_a_while_only(nobody: Predicate) -> None:
    here = place()
    here.go(21)
    chosen = here.top, here.cursor
    here.view.filter(nobody)
    here.settle(ROWS)
    see(here)
    here.view.filter(None)
    here.settle(ROWS)
    see(here)
    assert (here.top, here.cursor) == chosen


def test_what_was_chosen_is_held_while_a_filter_hides_it_and_no_more() -> None:
    here = place(64, 64 * 132)
    here.go(30)
    here.view.filter(by_pid(99))
    see(here)
    here.view.table.append(waits(64, 500))
    see(here)
    here.view.filter(None)
    see(here)
    assert here.line == 61
    assert here.view.table.first > 0


def test_freezing_what_shows_nothing_stays_at_the_end() -> None:
    here = place()
    here.view.filter(by_pid(99))
    see(here)
    here.freeze()
    here.view.filter(None)
    see(here)
    assert here.cursor == 59


def test_pages_and_the_way_back() -> None:
    here = place()
    here.page(-1)
    assert (here.top, here.cursor) == (41, 50)
    here.page(-9)
    assert (here.top, here.cursor) == (0, 0)
    here.page(1)
    assert (here.top, here.cursor) == (9, 9)
    here.go(59)
    here.page(1)
    assert not here.view.frozen


def test_sorted_rows_are_gone_through_from_the_first() -> None:
    here = place()
    here.view.sort = Sort("latency")
    job = here.view.resort()
    assert job is not None
    here.view.sorted(job())
    here.settle(ROWS)
    assert here.cursor == 0
    here.move(3)
    assert (here.view.frozen, here.cursor) == (True, 3)


def test_the_cursor_reaches_a_note_behind_the_last_row() -> None:
    here = place()
    here.view.table.mark(changed(10**9))
    see(here)
    assert here.line == 120
    here.move(-1)
    here.move(1)
    here.view.table.append(waits(60, 5))
    see(here)
    assert here.line == 120
