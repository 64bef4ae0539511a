"""A new key counts every event once: those in the history, those that wait in the inbox, and those that come."""

from __future__ import annotations

import threading

import pytest

from ringtop.bpf import stream
from ringtop.bpf.event.batch import Batch
from ringtop.tui.app.refold import Refold
from ringtop.tui.model.store import Store
from ringtop.tui.source.inbox import Arrived, Inbox
from ringtop.tui.source.source import Rewound
from ringtop.tui.top.keys import following
from ringtop.tui.top.measures import ALL
from ringtop.tui.top.ranking import Ranking
from ringtop.tui.top.top import Top
from tests.tui.top.events import START, deletions, waits

COUNT = 23


class Desk:
    """An inbox, the store that it is drained into, and the top that hears it."""

    def __init__(self) -> None:
        self.inbox, self.store, self.top = Inbox(), Store(), Top()
        self.refold = Refold(self.top, self.inbox, self.store)

    def post(self, *batches: Batch) -> None:
        rows = [stream.Rows(b.program, b.rows.tobytes(), b.tails) for b in batches]
        self.inbox.post(stream.Round(START, START, rows))

    def drain(self) -> None:
        for entry, _ in self.inbox.drain():
            if isinstance(entry, Arrived):
                for batch in entry.batches:
                    self.store.append(batch)

    def fold(self, ranking: Ranking) -> None:
        self.refold.fold(ranking, following(ranking.program, self.top.key(ranking.program)))

    def counted(self, program: str) -> int:
        report = self.top.report(program, rows=1000)
        return sum(row.events for row in report.rows) + report.others.events


@pytest.mark.parametrize("program", ["unlinksnoop", ALL])
def test_events_that_wait_in_the_inbox_are_in_the_new_rows(program: str) -> None:
    desk = Desk()
    desk.post(deletions([b"/srv/app/cache/%d" % i for i in range(COUNT)]))
    desk.drain()
    desk.post(deletions([b"/srv/app/tmp/%d" % i for i in range(COUNT)]))
    desk.fold(Ranking(desk.top, program))
    assert desk.counted(program) == 2 * COUNT
    desk.drain()
    assert desk.counted(program) == 2 * COUNT
    desk.post(deletions([b"/srv/app/tmp/%d" % i for i in range(COUNT)]))
    assert desk.counted(program) == 3 * COUNT


def test_what_a_replay_has_gone_back_over_is_not_counted() -> None:
    desk = Desk()
    desk.post(waits(b"crunch", [1000] * COUNT))
    desk.drain()
    desk.inbox.post(Rewound())
    desk.post(waits(b"crunch", [1000] * 5))
    desk.fold(Ranking(desk.top, "runqslower"))
    assert desk.counted("runqslower") == 5


def test_none_is_missed_or_counted_twice_while_they_come() -> None:
    desk = Desk()
    rounds = 211
    started = threading.Event()

    def come() -> None:
        for i in range(rounds):
            desk.post(waits(b"crunch", [1000] * COUNT, ts=START + i * 1_000_000))
            started.set()

    thread = threading.Thread(target=come)
    thread.start()
    started.wait()
    ranking = Ranking(desk.top, "runqslower")
    while thread.is_alive():
        desk.drain()
        desk.fold(ranking)
        with desk.inbox.paused():
            assert desk.counted("runqslower") == desk.counted(ALL)
    thread.join()
    assert desk.counted("runqslower") == desk.counted(ALL) == rounds * COUNT
