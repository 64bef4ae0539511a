"""The selected row, whole."""

from __future__ import annotations

from ringtop.bpf import stream
from ringtop.tui.draw.cells import Clock
from ringtop.tui.model.store import Event
from ringtop.tui.widgets.detail import Detail, items
from tests.samples import make
from tests.tui.feed import Feed
from tests.tui.viewing import press, running, shown


def long_command(feed: Feed) -> None:
    """One command of many arguments."""
    batch = make("execsnoop", [{"pid": 7, "ts": feed.now, "argv": [b"x" * 99] * 40, "truncated": 1}])
    feed.say(stream.Round(feed.now, feed.now, [stream.rows(batch)]))


async def test_what_does_not_fit_is_told() -> None:
    async with running(size=(80, 24), what=long_command) as pilot:
        await press(pilot, "2", "up")
        detail = pilot.app.screen.query_one(Detail)
        hidden = len(detail._lines(detail.content_size.width)) - detail.content_size.height + 1
        assert f"… {hidden} more lines" in shown(pilot)


async def test_a_running_clock_changes_nothing_but_ages() -> None:
    async with running() as pilot:
        await press(pilot, "up")
        detail, event = pilot.app.screen.query_one(Detail), pilot.app.main.table.event  # type: ignore[attr-defined]
        for mode, changes in (("clock", False), ("relative", True)):
            detail.show(event, Clock(mode, now_ns=10**13))
            before = detail._pairs
            detail.show(event, Clock(mode, now_ns=2 * 10**13))
            assert (detail._pairs is not before) == changes


def test_what_the_kernel_cut_is_marked() -> None:
    command = make("execsnoop", [{"argv": [b"cc", b"-O2"], "filename": b"/bin/cc", "truncated": 1}])
    path = make("unlinksnoop", [{"path": b"/tmp/a", "truncated": 1}])
    assert dict(items(Event(0, command), Clock()))["argv"] == "cc -O2 …"
    assert dict(items(Event(0, command), Clock()))["filename"] == "/bin/cc"
    assert dict(items(Event(0, path), Clock()))["path"] == "/tmp/a…"
