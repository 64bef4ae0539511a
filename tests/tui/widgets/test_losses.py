"""Losses can be found and cured from the screen: the log, the gaps, and the key that helps."""

from __future__ import annotations

from ringtop.bpf.stream import Retune, SetCapture
from ringtop.tui.app.app import Viewer
from ringtop.tui.settings.state import SavedState
from tests.tui.feed import Feed
from tests.tui.viewing import dropping, feed_of, play, press, running, shown, table


def lost_twice(feed: Feed) -> None:
    """Losses on two CPUs, with a change of transport and one of the capture filter between them."""
    few = {"runqslower": 23, "execsnoop": 2, "unlinksnoop": 2}
    feed.play(4)
    feed.events(few, {1: 12})
    feed.stats()
    feed.events(few)
    feed.send(Retune(transport="other", programs=["runqslower"]))
    feed.events(few)
    feed.send(SetCapture("uid>=1000", ["runqslower"]))
    feed.events(few)
    feed.events(few, {0: 1204})
    feed.stats()


async def test_the_log_outlives_the_rows() -> None:
    async with running(size=(80, 24), what=dropping) as pilot:
        app = pilot.app
        assert isinstance(app, Viewer)
        lost = app.model.machine.counters.all().lost
        app.model.store.clear()
        await press(pilot, "L")
        screen = shown(pilot)
        assert f"{lost:,} lost." in screen
        for program in app.model.programs:
            assert any(program in line and "ring 256K timer" in line and "1,216" in line for line in screen.split("\n"))
        await press(pilot, "escape")
        assert app.screen is app.main


async def test_without_losses_the_log_says_so() -> None:
    async with running() as pilot:
        await press(pilot, "L")
        assert "No event was lost." in shown(pilot)


async def test_n_goes_from_gap_to_gap_each_with_its_time_and_kind() -> None:
    async with running(state=SavedState(shows={"runqslower": "events"}), what=lost_twice) as pilot:
        await press(pilot, "1")
        rows = table(pilot)
        found = []
        for _ in range(4):
            await press(pilot, "N")
            found.append(rows.note)
        lost, captured, changed, first = found
        assert [note[:7] for note in found] == ["00:00:0"] * 4, found
        assert "1,204 lost on CPU 0: buffer full" in lost
        assert "capture filter: uid>=1000" in captured
        assert "changed: ring buffer 256 KiB" in changed
        assert "12 lost on CPU 1: buffer full" in first
        assert not any("lost on CPU" in note for note in (captured, changed))
        await press(pilot, "n")
        assert rows.note == changed
        await press(pilot, "home", "n")
        assert rows.note == first


async def test_the_title_says_what_helps_while_events_are_being_lost() -> None:
    async with running(size=(80, 24), what=dropping) as pilot:
        assert "press +: 512 KiB" in shown(pilot)
        await press(pilot, "plus")
        assert feed_of(pilot).controls
        await play(pilot, dropping)
        assert "press +: 1 MiB" in shown(pilot).split("execsnoop")[0]
        await play(pilot)
        assert "press +" not in shown(pilot)
