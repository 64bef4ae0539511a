"""H shows the histogram of all waits beside runqslower's tables, where they are counted."""

from __future__ import annotations

import pytest

from ringtop.bpf.stream import Waits
from ringtop.tui.settings.config import Config
from tests.tui.feed import Feed
from tests.tui.viewing import press, resize, running, shown


def counted(feed: Feed) -> None:
    """Some waits are counted, most of them short."""
    feed.waits = Waits(23, [0] * 40 + [4_000, 3_000] + [0] * 100 + [23])
    feed.play(4)


@pytest.mark.parametrize("ascii", [False, True])
async def test_the_histogram_comes_and_goes(ascii: bool) -> None:
    async with running(what=counted, config=Config(ascii=ascii)) as pilot:
        for size in [(80, 24), (120, 40), (200, 60)]:
            await resize(pilot, size)
            before = shown(pilot)
            assert "p50" not in before.split("runqslower")[1].split("execsnoop")[0].replace("P50", "")
            await press(pilot, "H")
            pane = shown(pilot).split("execsnoop")[0]
            assert "23 of 7,023 waits >= 10 ms" in pane
            assert "p50 2.30 us  p99 2.56 us" in pane
            assert "2.05 us     7,000 " in pane
            assert ("7,000 #" in pane) == ascii
            await press(pilot, "H")
            assert shown(pilot) == before


async def test_where_they_are_not_counted_there_is_no_such_key() -> None:
    async with running() as pilot:
        before = shown(pilot)
        await press(pilot, "H")
        assert shown(pilot) == before
        await press(pilot, "question_mark")
        assert "All waits" not in shown(pilot)
