"""The log of losses: nothing is missing from it, it says what was set then, and it is bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.common.sizes import LARGEST
from ringtop.bpf.stream import CpuStats, Period, ProgramStats, State, Stats
from ringtop.tui.model import tuning
from ringtop.tui.model.losses import MOST, NOT_KEPT, Losses, Setting
from ringtop.tui.model.tuning import Wanted

S = 1_000_000_000
RING = Setting("ringbuf", 64 << 10, "timer")
STEPS = st.lists(
    st.tuples(st.integers(1, 5), st.dictionaries(st.integers(0, 3), st.integers(0, 9), max_size=4)), max_size=20
)


def ledger(second: int, dropped: dict[int, int], setting: Setting = RING) -> Stats:
    """A ledger of one program: events that did not fit so far, by CPU."""
    cpus = [CpuStats(cpu, 0, 0, 0, 0, {"full": n}, 0, 0, 0, 0, 0, 0) for cpu, n in dropped.items()]
    now = Period(setting.transport, setting.buffer_bytes, setting.wakeup, 0, 1, 0, 0, 0, 0, 0, [])
    return Stats(second * S, 0, [ProgramStats("execsnoop", setting.transport, cpus, 0, 0, 0, [], 0, now=now)], 0, 0)


@given(STEPS)
def test_the_log_adds_up_to_the_ledgers(steps: list[tuple[int, dict[int, int]]]) -> None:
    log, second = Losses(), 0
    so_far = dict.fromkeys(range(4), 0)
    for seconds, more in steps:
        second += seconds
        so_far = {cpu: n + more.get(cpu, 0) for cpu, n in so_far.items()}
        log.take(ledger(second, so_far), {}, {})
        assert log.events == sum(so_far.values())
        assert ("execsnoop" in log.now) == any(more.values())
    by_cpu = dict.fromkeys(range(4), 0)
    for loss in log.newest():
        assert loss.cpu is not None
        by_cpu[loss.cpu] += loss.events
    assert by_cpu == so_far


def test_losses_that_go_on_are_one_entry_and_later_ones_another() -> None:
    log = Losses()
    for second, n in ((1, 5), (2, 7), (3, 7), (4, 9), (9, 20)):
        log.take(ledger(second, {1: n}), {}, {})
    assert [(x.first_ns // S, x.last_ns // S, x.events) for x in log.newest()] == [(9, 9, 11), (4, 4, 2), (1, 2, 7)]


def test_it_says_what_was_set_when_the_loss_began() -> None:
    log = Losses()
    larger = Setting("ringbuf", 128 << 10, "every")
    log.take(ledger(1, {0: 5}), {}, {})
    log.take(ledger(2, {0: 9}, larger), {}, {})
    log.take(ledger(3, {0: 10}, larger), {}, {})
    assert [(x.setting, x.events) for x in log.newest()] == [(larger, 1), (RING, 9)]


def test_a_new_collector_counts_from_nothing_and_the_log_stays() -> None:
    log = Losses()
    log.take(ledger(1, {0: 5}), {}, {})
    log.restart()
    log.take(ledger(9, {0: 3}), {}, {})
    assert log.events == 8


def test_what_the_viewer_did_not_keep_is_told_apart() -> None:
    log = Losses()
    log.take(ledger(1, {0: 5}), {}, {"execsnoop": 0})
    log.take(ledger(2, {0: 5}), {}, {"execsnoop": 23})
    newest = next(log.newest())
    assert (newest.cpu, newest.reason, newest.setting, newest.events) == (None, NOT_KEPT, None, 23)
    assert log.now == {"execsnoop": {NOT_KEPT}}


def test_it_is_bounded_and_what_it_drops_is_summed() -> None:
    log, cpus, so_far = Losses(), 100, 0
    for i in range(MOST // cpus + 3):
        so_far += 2
        log.take(ledger(10 * i, dict.fromkeys(range(cpus), so_far)), {}, {})
    assert len(log) == MOST
    assert (log.gone, log.gone_events) == (3 * cpus, 3 * cpus * 2)
    assert log.events == so_far * cpus


def test_the_cure_names_the_next_size_or_another_key() -> None:
    ring = State("execsnoop", "running", "ringbuf", buffer_bytes=256 << 10)
    assert tuning.cure(ring, {"full", NOT_KEPT}, held=False) == "press +: 512 KiB"
    assert tuning.cure(Wanted("execsnoop", LARGEST, "timer"), {"full"}, held=False) == "press c: capture less"
    assert tuning.cure(Wanted("execsnoop", None, "timer"), {"full"}, held=False) == ""
    assert tuning.cure(ring, {NOT_KEPT}, held=False) == "press c: capture less"
    assert tuning.cure(ring, {NOT_KEPT}, held=True) == "press F: held rows fill the history"
    assert tuning.cure(ring, set(), held=False) == ""
    perf = State("execsnoop", "running", "perfbuf", buffer_bytes=4096)
    assert tuning.cure(perf, {"full"}, held=False) == "press +: 8 KiB"
