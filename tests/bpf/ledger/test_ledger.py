"""The ledger against plain counting, whatever the order of batches."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.common.transports import TRANSPORTS
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import RUNQSLOWER
from ringtop.bpf.kernel.layout import COUNTERS, Counters
from ringtop.bpf.ledger.ledger import LATENCY_BUCKETS, REASONS, Ledger
from ringtop.bpf.transport.records import Drained

CPUS = 4
Event = tuple[int, int, int]  # CPU, sequence number, time


def drained(events: list[Event], lost: list[int] | None = None, damaged: int = 0) -> Drained:
    rows = np.zeros(len(events), RUNQSLOWER.dtype)
    for row, (cpu, seq, ts) in zip(rows, events, strict=True):
        row["cpu"], row["seq"], row["ts"] = cpu, seq, ts
    size = np.bincount(rows["cpu"], minlength=CPUS) * 112
    return Drained(Batch("runqslower", rows, b""), size, np.array(lost or [0] * CPUS, np.int64), damaged)


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, list[tuple[str, list[Event]]]]:
    """How many were dropped, and the others in batches: in some order, over either transport."""
    noise = random.Random(draw(st.integers(0, 1 << 30)))
    emitted = draw(st.lists(st.integers(0, 30), min_size=CPUS, max_size=CPUS))
    dropped = draw(st.sampled_from([0.0, 0.2, 0.9]))
    disorder = draw(st.sampled_from([0, 3, 1000]))
    gone = 0
    kept: list[tuple[float, Event]] = []
    for cpu, count in enumerate(emitted):
        ts = noise.randrange(10_000)
        for seq in range(count):
            ts += noise.choice((0, 1, 1000, 1 << 22))
            if noise.random() < dropped:
                gone += 1
                continue
            kept.append((ts + disorder * noise.randrange(1 << 14), (cpu, seq, ts)))
    events = [event for _, event in sorted(kept)]
    batches = []
    while events:
        count = noise.randint(1, 20)
        transport = noise.choice(TRANSPORTS) if noise.random() < 0.5 else TRANSPORTS[0]
        batches.append((transport, events[:count]))
        events = events[count:]
        if noise.random() < 0.2:
            batches.append((noise.choice(TRANSPORTS), []))
    return gone, batches


@given(histories(), st.integers(0, 1 << 26))
def test_every_number_is_accounted_for(history: tuple[int, list[tuple[str, list[Event]]]], later: int) -> None:
    _, batches = history
    ledger = Ledger(CPUS)
    next_seq, received, latest = [0] * CPUS, [0] * CPUS, 0
    inversions = {t: [0] * CPUS for t in TRANSPORTS}
    latency: dict[str, Counter[int]] = {t: Counter() for t in TRANSPORTS}
    now = 0
    for transport, events in batches:
        before = {t: ledger.by[t].received.copy() for t in TRANSPORTS}
        now = max([now, *(ts + later // 2 for _, _, ts in events)])
        ledger.take(transport, drained(events), now)
        for cpu, seq, ts in events:
            received[cpu] += 1
            next_seq[cpu] = max(next_seq[cpu], seq + 1)
            inversions[transport][cpu] += ts < latest
            latest = max(latest, ts)
            latency[transport][min((max(now - ts, 0) // 1000).bit_length(), LATENCY_BUCKETS - 1)] += 1
        sides = ledger.by.values()
        for t in TRANSPORTS:
            assert (ledger.by[t].received >= before[t]).all()
        assert sum(s.received for s in sides).tolist() == received
        assert (ledger.gaps + received).tolist() == next_seq
    for transport, side in ledger.by.items():
        assert side.inversions.tolist() == inversions[transport]
        assert side.latency.tolist() == [latency[transport][i] for i in range(LATENCY_BUCKETS)]
        assert side.latency.sum() == side.received.sum()


@given(histories())
def test_gaps_are_the_drops(history: tuple[int, list[tuple[str, list[Event]]]]) -> None:
    """Once an event behind the last drop has arrived; in any order, as both together are."""
    gone, batches = history
    ledger = Ledger(CPUS)
    highest = [
        max((seq for _, events in batches for c, seq, _ in events if c == cpu), default=-1) for cpu in range(CPUS)
    ]
    for _, events in batches:
        ledger.take("ringbuf", drained(events), 1 << 40)
    side = ledger.by["ringbuf"]
    assert (ledger.gaps + side.received).tolist() == [h + 1 for h in highest]
    assert 0 <= ledger.gaps.sum() <= gone
    last = [(cpu, 1000, 1 << 41) for cpu in range(CPUS)]
    ledger.take("ringbuf", drained(last), 1 << 42)
    assert (ledger.gaps + side.received).tolist() == [1001] * CPUS


@given(
    st.lists(
        st.tuples(
            st.sampled_from(TRANSPORTS), st.lists(st.integers(0, 500), min_size=CPUS, max_size=CPUS), st.integers(0, 3)
        ),
        max_size=8,
    )
)
def test_sums_fill_and_peak(drains: list[tuple[str, list[int], int]]) -> None:
    ledger = Ledger(CPUS)
    for transport, numbers, damaged in drains:
        part = drained([(cpu, 0, 0) for cpu, n in enumerate(numbers) for _ in range(n % 4)], numbers, damaged)
        ledger.take(transport, part, 5)
    for transport in TRANSPORTS:
        own = [d for d in drains if d[0] == transport]
        side = ledger.by[transport]
        sizes = [[n % 4 * 112 for n in numbers] for _, numbers, _ in own] or [[0] * CPUS]
        assert side.bytes.tolist() == [sum(column) for column in zip(*sizes, strict=True)]
        assert side.peak.tolist() == [max(column) for column in zip(*sizes, strict=True)]
        assert side.fill.tolist() == sizes[-1]
        assert side.lost.tolist() == [sum(numbers[cpu] for _, numbers, _ in own) for cpu in range(CPUS)]
        assert side.damaged == sum(damaged for _, _, damaged in own)


@given(st.lists(st.tuples(st.integers(0, CPUS - 1), st.integers(0, (1 << 64) - 1), st.integers(0, (1 << 64) - 1))))
def test_numbers_that_cannot_be_stop_nothing(events: list[Event]) -> None:
    ledger = Ledger(CPUS)
    for event in events:
        ledger.take("perfbuf", drained([event]), 1 << 50)
    ledger.take("perfbuf", drained(events), 1 << 50)
    side = ledger.by["perfbuf"]
    assert side.received.sum() == 2 * len(events)
    assert side.latency.sum() == 2 * len(events)
    assert (side.latency >= 0).all()


@given(st.integers(0, 1 << 30), st.sets(st.integers(0, CPUS - 1)), st.sampled_from(TRANSPORTS))
def test_cpu_stats_say_what_the_kernel_and_the_reader_counted(seed: int, online: set[int], transport: str) -> None:
    noise = random.Random(seed)
    by = np.array(
        [
            [[noise.choice((0, noise.randrange(1 << 40))) for _ in COUNTERS] for _ in TRANSPORTS]
            if noise.random() < 0.6
            else np.zeros((len(TRANSPORTS), len(COUNTERS)), int).tolist()
            for _ in range(CPUS)
        ],
        np.uint64,
    )
    untracked = np.array([noise.choice((0, noise.randrange(-9, 9))) for _ in range(CPUS)], np.int64)
    numbers = np.array([noise.randrange(9) for _ in range(CPUS)], np.uint64)
    ledger = Ledger(CPUS)
    events = [(noise.randrange(CPUS), seq, seq * 10) for seq in range(noise.randrange(6))]
    ledger.take(transport, drained(events, [3] * CPUS), 1000)
    ahead = np.array([noise.randrange(3) for _ in range(CPUS)])
    shown = ledger.cpu_stats(transport, Counters(numbers, untracked, by), sorted(online), ahead)
    number = TRANSPORTS.index(transport)
    busy = {cpu for cpu, _, _ in events} | {cpu for cpu in range(CPUS) if by[cpu, number, COUNTERS.index("hits")]}
    assert [s.cpu for s in shown] == sorted(online | busy | set(np.flatnonzero(untracked).tolist()))
    assert sum(s.untracked for s in shown) == untracked.sum(), "a call may enter on one CPU and leave on another"
    for s in shown:
        kernel = dict(zip(COUNTERS, by[s.cpu, number].tolist(), strict=True))
        assert (s.hits, s.filtered, s.emitted) == (kernel["hits"], kernel["filtered"], kernel["emitted"])
        assert s.dropped == {reason: kernel[reason] for reason in REASONS}
        arrived = [seq for cpu, seq, _ in events if cpu == s.cpu]
        assert s.received == len(arrived) - ahead[s.cpu]
        # The kernel knows of events up to its number: what is not here by then is a hole.
        assert s.gaps + len(arrived) == max(max(arrived, default=-1) + 1, int(numbers[s.cpu]))
        assert (s.lost_records, s.bytes, s.fill, s.peak) == (3, *[len(arrived) * 112] * 3)
        assert s.untracked == untracked[s.cpu]


def test_no_drop_reason_is_left_out() -> None:
    assert set(COUNTERS) == {"hits", "filtered", "emitted", *REASONS}
