"""`$` shows what ringtop costs, and has it measured only for as long."""

from __future__ import annotations

import os

from ringtop.bpf.stream import Costs, FunctionCost, MapCost, Measure, ProcessCost
from tests.tui.feed import Feed
from tests.tui.viewing import feed_of, play, press, running, shown

SECOND = 1_000_000_000


def costs(seconds: int, uncounted: str = "", waits: int = 23, kept_waiting: int = 0) -> Costs:
    """What a collector tells after so many *seconds*: 200 runs of 300 ns each second."""
    runs = 200 * seconds
    return Costs(
        ts_ns=seconds * SECOND,
        uncounted=uncounted,
        processes=[ProcessCost("collector", 1_000_000, seconds * SECOND // 50, 10 * seconds, 48 << 20, 40 << 20)],
        functions=[
            FunctionCost(
                "runqslower", "on_switch", ["sched_switch"], 77, "0123456789abcdef", runs, 300 * runs, 2048, 4096, [5]
            )
        ],
        maps=[MapCost("runqslower", 5, "runnable_since_", "array", 4, 8, 32_768, 256 << 10)],
        waits=waits,
        kept_waiting=kept_waiting,
    )


def tell(feed: Feed, *told: Costs) -> None:
    """The collector sends them."""
    for one in told:
        feed.say(one)


async def test_rates_are_those_of_the_last_second() -> None:
    async with running(size=(120, 40)) as pilot:
        await press(pilot, "dollar_sign")
        assert feed_of(pilot).controls == [Measure(True)]
        await play(pilot, lambda feed: tell(feed, costs(10), costs(11)))
        screen = " ".join(shown(pilot).split())
        assert f"viewer {os.getpid()} " in screen
        assert "collector 1000000 2.00% 48 MiB 40 MiB 10" in screen
        assert "on_switch 77 0123456789abcdef 2,200 200 300 0.01% 2 KiB sched_switch" in screen
        assert "runnable_since_ 5 array 32,768 4 8 256 KiB" in screen
        assert "ringtop kept others waiting: 0 of 23 waits that runqslower reported" in screen
        assert "in the kernel 256 KiB in 1 maps, 4 KiB in 1 BPF programs" in screen


async def test_what_is_not_counted_is_said() -> None:
    async with running(size=(120, 40)) as pilot:
        await press(pilot, "dollar_sign")
        await play(pilot, lambda feed: tell(feed, costs(0, "no privilege", 46, -1)))
        screen = shown(pilot)
        assert "Runs are not counted: no privilege." in screen
        assert "unknown in a container" in screen


async def test_it_is_measured_only_while_it_is_shown() -> None:
    async with running() as pilot:
        for key in ("escape", "dollar_sign", "q", "enter"):
            await press(pilot, "dollar_sign")
            await play(pilot, lambda feed: tell(feed, costs(1)))
            assert feed_of(pilot).controls[-1] == Measure(True)
            await press(pilot, key)
            assert feed_of(pilot).controls[-1] == Measure(False)
            await play(pilot, lambda feed: tell(feed, costs(2)))


async def test_perf_buffers_are_memory_too() -> None:
    async with running(Feed(transport="perfbuf"), size=(120, 40)) as pilot:
        await press(pilot, "dollar_sign")
        await play(pilot, lambda feed: tell(feed, costs(1)))
        assert "perf buffers, which are no maps:" in shown(pilot)


async def test_what_does_not_fit_is_scrolled_to() -> None:
    async with running(size=(60, 30)) as pilot:
        await press(pilot, "dollar_sign")
        await play(pilot, lambda feed: tell(feed, costs(1), costs(2)))
        assert "on_switch" in shown(pilot)
        assert "sched_switch" not in shown(pilot)
        await press(pilot, *["right"] * 60)
        assert "sched_switch" in shown(pilot)
