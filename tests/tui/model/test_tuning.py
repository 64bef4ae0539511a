"""What the keys ask of the collector."""

from __future__ import annotations

import pytest

from ringtop.bpf.common.sizes import LARGEST, PAGE
from ringtop.bpf.stream import Follow, Retune, SetCapture, State
from ringtop.tui.model import tuning


def state(size: int = 1 << 20, wakeup: str = "timer") -> State:
    return State("execsnoop", "running", buffer_bytes=size, wakeup=wakeup)


def retune(what: str, now: tuning.Tuned) -> Retune:
    """On a kernel that has everything."""
    return tuning.retune(what, now, "")


def test_transport() -> None:
    assert retune("transport", state()) == Retune(transport="other", programs=["execsnoop"])
    with pytest.raises(ValueError, match="no ring buffer here: the perf buffers stay in use"):
        tuning.retune("transport", state(), "no ring buffer here")
    assert tuning.retune("larger", state(), "no ring buffer here").buffer_bytes == 2 << 20


def test_what_can_be_compared() -> None:
    tuning.check_comparable(comparing=False, no_ringbuf="")
    with pytest.raises(ValueError, match="compared already"):
        tuning.check_comparable(comparing=True, no_ringbuf="")
    with pytest.raises(ValueError, match="no ring buffer here: there is nothing to compare"):
        tuning.check_comparable(comparing=False, no_ringbuf="no ring buffer here")


def test_sizes_stay_within_what_can_be() -> None:
    assert retune("larger", state()) == Retune(buffer_bytes=2 << 20, programs=["execsnoop"])
    assert retune("smaller", state()) == Retune(buffer_bytes=1 << 19, programs=["execsnoop"])
    with pytest.raises(ValueError, match="no buffer is larger than 1G"):
        retune("larger", state(LARGEST))
    with pytest.raises(ValueError, match="no buffer is smaller than a page"):
        retune("smaller", state(PAGE))


def test_what_a_key_asks_for_builds_on_what_was_asked_before() -> None:
    first = retune("larger", state())
    wanted = tuning.granted(state(), first)
    assert tuning.same(wanted, state(2 << 20))
    assert retune("larger", wanted) == Retune(buffer_bytes=4 << 20, programs=["execsnoop"])
    assert not tuning.same(wanted, state())


def test_the_size_of_another_transport_is_nobodys_guess() -> None:
    switched = tuning.granted(state(), Retune(transport="other", programs=["execsnoop"]))
    for what in ("larger", "smaller"):
        with pytest.raises(ValueError, match="not known yet"):
            retune(what, switched)
    assert retune("wakeup", switched) == Retune(wakeup="adaptive", programs=["execsnoop"])
    assert not tuning.same(switched, state(0))


def test_wake_up_modes_go_round() -> None:
    seen = ["timer"]
    for _ in range(4):
        seen.append(retune("wakeup", state(wakeup=seen[-1])).wakeup)
    assert seen == ["timer", "adaptive", "every", "batch:64", "timer"]
    assert retune("wakeup", state(wakeup="batch:8")).wakeup == "timer"


def test_a_new_collector_is_told_only_what_differs() -> None:
    old = State("execsnoop", "running", "perfbuf", buffer_bytes=1 << 20, wakeup="every", capture="pid=1")
    assert tuning.again(old, old) == []
    assert tuning.again(old, state(wakeup="every")) == [
        Retune(transport="perfbuf", buffer_bytes=1 << 20, programs=["execsnoop"]),
        SetCapture("pid=1", ["execsnoop"]),
    ]
    assert tuning.again(State("execsnoop", "running", follows=[7]), state(0)) == [Follow([7])]
    unit, restarted = (State("execsnoop", "running", scope="unit a", cgroup=cgroup) for cgroup in (7, 9))
    assert tuning.again(unit, state(0))[-1] == Follow(cgroup=7)
    assert tuning.again(unit, restarted) == []
    assert tuning.again(state(), state(1 << 21)) == [Retune(buffer_bytes=1 << 20, programs=["execsnoop"])]


@pytest.mark.parametrize(("text", "seconds"), [("", 10), ("10", 10), (" 2.5 ", 2.5), ("30s", 30), ("3600", 3600)])
def test_seconds(text: str, seconds: float) -> None:
    assert tuning.seconds(text) == seconds


@pytest.mark.parametrize("text", ["0", "-1", "soon", "nan", "inf", "3601", "1e3", "1m"])
def test_what_is_not_a_number_of_seconds(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number of seconds"):
        tuning.seconds(text)
