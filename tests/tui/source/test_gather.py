"""The messages of several hosts become few rounds; each host keeps its order, its place and its share."""

from __future__ import annotations

import numpy as np
import pytest

from ringtop.bpf import filter as language
from ringtop.bpf import stream
from ringtop.bpf.event.batch import Batch
from ringtop.tui.draw import terms
from ringtop.tui.model.model import Model
from ringtop.tui.model.notes import OfHost
from ringtop.tui.model.store import Table
from ringtop.tui.source.gather import LEAST_BYTES, Gather
from ringtop.tui.source.inbox import Arrived, Entry, Inbox, Skipped
from ringtop.tui.source.source import Lost, Post
from ringtop.tui.top.measures import ALL
from ringtop.tui.top.top import Top
from tests.samples import make
from tests.tui.feed import Feed

NAMES = {1: "web1", 2: "web2", 3: "web3"}
COUNT = 23


class Several:
    """Three hosts, the model that shows them, and the top that counts their events."""

    def __init__(self, most: int = 0) -> None:
        self.inbox = Inbox()
        self.inbox.names.hosts = {host: name.encode() for host, name in NAMES.items()}
        self.gather = Gather(self.inbox, NAMES, most)
        self.model, self.top = Model(hosts=NAMES), Top()
        self.inbox.listen(self.top.hear)
        self.feeds = [Feed(seed=host) for host in NAMES]
        for host, feed in zip(NAMES, self.feeds, strict=True):
            feed.start(self.gather.post(host))
        self.show()

    def show(self) -> list[Entry]:
        """Show what has come."""
        self.gather.move()
        entries = []
        for entry, host in self.inbox.drain():
            self.model.take(entry, host)
            entries.append(entry)
        return entries

    def table(self, program: str = "execsnoop") -> Table:
        return self.model.store.tables[program]

    def rows(self, host: int, program: str = "execsnoop") -> Batch:
        table = self.table(program)
        batch = table.ring.slice(table.first, table.end)
        return batch.take(batch.rows["host"] == host)

    def notes(self, host: int, program: str = "execsnoop") -> list[object]:
        every = [note for at in self.table(program).marks.values() for note in at]
        return [note.about for note in every if isinstance(note, OfHost) and note.host == NAMES[host]]


def test_rounds_of_all_hosts_are_one_in_time_order() -> None:
    several = Several()
    for feed in several.feeds:
        feed.events({"execsnoop": COUNT, "unlinksnoop": 2})
    rounds = [entry for entry in several.show() if isinstance(entry, Arrived)]
    assert [(batch.program, len(batch)) for batch in rounds[0].batches] == [("execsnoop", 69), ("unlinksnoop", 6)]
    assert len(rounds) == 1
    assert (np.diff(rounds[0].batches[0].rows["ts"].astype(np.int64)) >= 0).all()
    for host in NAMES:
        assert several.rows(host).text("argv"), "their text came along"


def test_equal_processes_cpus_and_numbers_of_several_hosts_are_not_mixed() -> None:
    several = Several()
    several.feeds[0].events({"execsnoop": COUNT})
    several.feeds[1].events({"execsnoop": COUNT}, lose={1: 7})
    several.show()
    several.feeds[1].events({"execsnoop": COUNT}, lose={1: 5})
    several.feeds[0].events({"execsnoop": COUNT})
    several.show()
    table = several.table()
    numbers = np.arange(table.first, table.end)
    assert table.ring.lost(numbers[table.ring.values("host", numbers) == 1]).sum() == 0
    assert table.ring.lost(numbers[table.ring.values("host", numbers) == 2]).sum() == 5
    pid = int(several.rows(1).rows["pid"][0])
    alike = several.rows(1).rows["pid"] == pid
    assert len(several.model.store.process(pid, host=1)) == np.count_nonzero(alike)
    assert len(several.model.store.process(pid, host=3)) == 0
    several.top.fold_by("runqslower", "pid")
    for host in (0, 1):
        several.feeds[host].say(
            stream.Round(
                several.feeds[host].now,
                several.feeds[host].now,
                [stream.rows(make("runqslower", [{"pid": 23, "ts": several.feeds[host].now, "latency": 5}] * 2))],
            )
        )
    several.show()
    rows = several.top.report("runqslower").rows
    assert sorted((row.host, row.pid, row.events, row.pids) for row in rows) == [(1, 23, 2, 1), (2, 23, 2, 1)]
    wanted = {terms.term("pid", row.key[0]): row.events for row in rows}
    assert wanted == {"host=web1 and pid=23": 2, "host=web2 and pid=23": 2}
    table = several.table("runqslower")
    for text, events in wanted.items():
        assert text is not None
        found = language.match(language.parse(text), table.ring.slice(table.first, table.end))
        assert np.count_nonzero(found) == events


def test_losses_of_all_hosts_are_counted_together() -> None:
    several = Several()
    for feed, lost in zip(several.feeds, (3, 5, 0), strict=True):
        feed.events({"execsnoop": COUNT}, lose={0: lost})
        feed.stats()
    several.show()
    assert several.top.report("execsnoop").lost == 8
    assert [machine.counters.all().lost for machine in several.model.machines.values()] == [3, 5, 0]


def test_a_host_that_was_away_disturbs_no_other() -> None:
    several = Several()
    here, away = several.feeds[0], several.feeds[1]
    for feed in (here, away):
        feed.events({"execsnoop": COUNT})
    several.show()
    away.lose_collector(again_s=4)
    here.events({"execsnoop": COUNT})
    several.show()
    machine = several.model.machines[2]
    assert machine.contact.phase == "lost"
    assert 3 < (machine.again_s or 0) <= 4
    assert several.model.machines[1].contact.phase == "running"
    away.start(away._post)
    away.events({"execsnoop": COUNT})
    here.events({"execsnoop": COUNT})
    several.show()
    assert several.notes(2) == ["away: killed by SIGKILL", "was away for 0s"]
    assert several.notes(1) == []
    assert machine.contact.phase == "running"
    assert (len(several.rows(1)), len(several.rows(2))) == (3 * COUNT, 2 * COUNT)
    table = several.table()
    assert table.ring.lost(np.arange(table.first, table.end)).sum() == 0, "it counts from 0 again"


def test_a_change_is_placed_among_the_rows_of_its_host() -> None:
    several = Several()
    for feed in several.feeds:
        feed.events({"execsnoop": COUNT})
    several.show()
    several.feeds[1].send(stream.Retune(transport="other", programs=["execsnoop"]))
    several.feeds[0].events({"execsnoop": COUNT})
    several.show()
    assert len(several.table().at_end) == 1, "rows of other hosts do not place it"
    several.feeds[1].events({"execsnoop": COUNT})
    several.show()
    (row,) = several.table().marks
    assert row == 4 * COUNT


def test_a_flood_of_one_host_loses_only_its_own_events() -> None:
    several = Several()
    good, flooding = several.feeds[0], several.feeds[1]
    rows = 2 * LEAST_BYTES // 100
    for _ in range(COUNT):
        flooding.events({"execsnoop": rows // COUNT})
    good.events({"execsnoop": COUNT})
    shown = several.show()
    lost = sum(entry.rows for entry in shown if isinstance(entry, Skipped))
    assert 0 < lost == several.table().unkept[2]
    assert len(several.rows(1)) == COUNT
    assert several.table().unkept[1] == 0
    assert several.top.report(ALL).lost == lost, "the ranked rows do not claim to be exact"
    assert several.notes(2) == [f"{lost:,} not kept: they came faster than the viewer reads"]


@pytest.mark.parametrize(
    "lie",
    [
        stream.Round(1, 1, [stream.Rows("execsnoop", b"short", b"")]),
        stream.Hello("web1", "6.1", "x86_64", "1", [], [], 7, -(1 << 63), stream.dtypes()),
        stream.Round(1 << 62, 1 << 62, [stream.rows(make("execsnoop", [{"ts": (1 << 64) - 1, "seq": (1 << 64) - 1}]))]),
        stream.End("leaving"),
        Lost("it does not answer", "\x1b[2J"),
    ],
)
def test_a_lying_host_disturbs_no_other(lie: stream.AnyMessage | Lost) -> None:
    several = Several()
    good = several.feeds[0]
    post: Post = several.gather.post(2)
    for _ in range(3):
        good.events({"execsnoop": COUNT})
        post(lie)
        several.show()
    assert len(several.rows(1)) == 3 * COUNT
    table = several.table()
    numbers = np.arange(table.first, table.end)
    assert table.ring.lost(numbers[table.ring.values("host", numbers) == 1]).sum() == 0
    times = several.rows(1).rows["ts"]
    assert (np.diff(times.astype(np.int64)) >= 0).all()
    assert several.model.machines[1].contact.phase == "running"
    assert several.notes(1) == []


def test_what_is_said_between_rounds_stays_there() -> None:
    several = Several()
    feed = several.feeds[0]
    feed.events({"execsnoop": COUNT})
    feed.capture = "pid=7"
    feed.state("execsnoop")
    feed.events({"execsnoop": COUNT})
    several.show()
    assert list(several.table().marks) == [COUNT]
