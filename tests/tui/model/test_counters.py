"""Totals, rates, and what does not balance."""

from __future__ import annotations

from ringtop.bpf import stream
from ringtop.bpf.common.transports import Transport
from ringtop.tui.model.counters import Counters
from tests.tui.feed import Feed


def listen(feed: Feed) -> list[stream.Stats]:
    said: list[stream.Stats] = []
    feed.start(lambda item: said.append(item) if isinstance(item, stream.Stats) else None)
    return said


def test_rates_are_differences_over_the_collectors_time() -> None:
    feed = Feed()
    said = listen(feed)
    feed.events({"runqslower": 100}, seconds=2)
    feed.stats()
    counters = Counters()
    for stats in said:
        counters.update(stats)
    totals = counters.of("runqslower")
    assert (totals.received, totals.rate) == (100, 50.0)
    assert sum(c.rate for c in totals.cpus) == 50.0
    assert counters.rates["runqslower"][-1] == 50.0
    assert round(counters.cpu_share, 3) == 0.012


def test_drops_by_reason_and_cpu() -> None:
    feed = Feed()
    said = listen(feed)
    feed.events({"execsnoop": 10}, {1: 30}, seconds=1)
    feed.stats()
    counters = Counters()
    for stats in said:
        counters.update(stats)
    totals = counters.of("execsnoop")
    assert totals.lost == 30
    assert totals.lost_rate == 30.0
    assert [c.reasons for c in totals.cpus] == [(), ("full",)]
    assert counters.all().dropped == {"full": 30, "no_reader": 0, "other": 0}
    counters.stop()
    assert counters.of("execsnoop").lost == 30
    assert counters.of("execsnoop").lost_rate == 0


def test_what_lies_in_a_buffer_is_in_flight_and_what_lies_nowhere_is_unaccounted() -> None:
    feed = Feed(programs=("runqslower",))
    said = listen(feed)
    feed.fill({0: 0.5})
    feed.stats()
    counters = Counters()
    counters.update(said[-1])
    assert counters.in_flight == (256 << 10) // 2 // 128
    assert counters.residual == 0
    feed.drained()
    feed._ledgers["runqslower", 0].hits += 3
    feed.stats()
    counters.update(said[-1])
    assert (counters.in_flight, counters.residual) == (0, 3)


def test_two_transports_of_a_program_are_one_ledger() -> None:
    def cpu(received: int, dropped: int) -> stream.CpuStats:
        return stream.CpuStats(
            0, received + dropped, 0, received + dropped, received, {"full": dropped}, 0, 0, 0, 7, 9, 0
        )

    def both(ring: int, perf: int) -> stream.Stats:
        parts = [
            stream.ProgramStats("runqslower", "ringbuf", [cpu(ring, 1)], 7, 100, 0, [], 0, 0, 0),
            stream.ProgramStats("runqslower", "perfbuf", [cpu(perf, 2)], 7, 200, 0, [], 0, 0, 0),
        ]
        return stream.Stats((ring + perf) * 10**9, 0, parts, 0, 0)

    counters = Counters()
    counters.update(both(10, 0))
    counters.update(both(10, 5))
    totals = counters.of("runqslower")
    assert (totals.received, totals.lost, totals.transport, totals.capacity) == (15, 3, "perfbuf", 200)
    assert totals.rate == 1.0


def period(transport: Transport) -> stream.Period:
    return stream.Period(transport, 64, "timer", 128, 1.0, 5, 0, 1, 2, 10, [5])


def test_the_transport_in_use_is_the_one_that_says_so() -> None:
    def part(transport: Transport, received: int, fill: int, now: stream.Period | None) -> stream.ProgramStats:
        cpu = stream.CpuStats(0, received + 2, 0, received + 2, received, {}, 0, 0, 0, fill, fill, 4)
        capacity = 100 if transport == "ringbuf" else 200
        return stream.ProgramStats("runqslower", transport, [cpu], fill, capacity, 0, [], 0, 3, now)

    counters = Counters()
    counters.update(stream.Stats(1, 0, [part("perfbuf", 90, 7, None), part("ringbuf", 1, 0, period("ringbuf"))], 0, 0))
    totals = counters.of("runqslower")
    assert (totals.transport, totals.capacity, totals.fill, totals.cpus[0].peak) == ("ringbuf", 100, 0, 0)
    assert (totals.received, totals.inversions, totals.late) == (91, 8, 3)
    assert totals.now == period("ringbuf")
    # What lies in the one that is being left is in flight, too.
    assert (counters.in_flight, counters.residual) == (4, 0)
    counters.changed("runqslower")
    assert counters.of("runqslower").now is None
    assert counters.of("runqslower").received == 91


def test_a_new_collector_counts_from_nothing_without_negative_rates() -> None:
    feed = Feed(programs=("runqslower",))
    said = listen(feed)
    feed.play(8)
    counters = Counters()
    counters.update(said[-1])
    counters.restart()
    feed.start(lambda item: said.append(item) if isinstance(item, stream.Stats) else None)
    counters.update(said[-1])
    assert counters.of("runqslower").rate == 0


def test_what_an_earlier_collector_lost_stays_lost() -> None:
    counters = Counters()
    for lost in (30, 4, 0):
        counters.restart()
        feed = Feed(programs=("execsnoop",))
        said = listen(feed)
        feed.events({"execsnoop": 10}, {1: lost}, seconds=1)
        feed.stats()
        feed.fill({0: 0.5 if lost else 0})
        feed.stats()
        for stats in said:
            counters.update(stats)
        counters.stop()
    totals = counters.of("execsnoop")
    assert (totals.lost, totals.lost_rate) == (34, 0)
    assert [(c.dropped, c.reasons) for c in totals.cpus] == [(0, ()), (34, ("full",))]
    assert (totals.open, counters.residual) == (0, 0)
