"""What goes wrong is shown, and the rest goes on."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from ringtop.bpf import stream
from ringtop.bpf.common.errors import CANNOT_TRACE
from ringtop.bpf.event.schema import usual
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.cli.start import DEMO
from ringtop.tui.model.line import row_of
from ringtop.tui.settings.config import Config
from ringtop.tui.source.replay import ReplaySource
from ringtop.tui.source.source import Lost, Rewound
from ringtop.tui.widgets import keys
from tests.tui.feed import PATHS, WALL_NS, Feed
from tests.tui.viewing import (
    SIZES,
    dropping,
    feed_of,
    play,
    press,
    resize,
    running,
    settle,
    shown,
    table,
    type_in,
    viewer,
)


async def test_gap_rows_stand_where_events_were_lost() -> None:
    async with running(what=dropping) as pilot:
        lines = table(pilot).page_text()
        at = next(i for i, line in enumerate(lines) if "1,204 lost on CPU 1: buffer full" in line)
        assert lines[at + 1].split()[1] == "1"
        assert "lost 3,657" in shown(pilot)


async def test_progress_is_shown_while_programs_load() -> None:
    app = viewer(Feed(programs=()))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.inbox.post(stream.Progress("execsnoop", "loading execsnoop"))
        await settle(pilot)
        assert "● loading execsnoop" in shown(pilot)


async def test_a_program_that_failed_says_why_and_the_others_go_on() -> None:
    async with running(Feed(failed=("execsnoop",))) as pilot:
        screen = shown(pilot)
        assert "execsnoop could not be loaded" in screen
        assert "CAP_BPF" in screen
        assert "r tries again" in screen
        assert "● 2 of 3 running" in screen
        assert len(table(pilot).view.table) > 100


async def test_a_title_tells_what_its_hooks_leave_out() -> None:
    async with running(size=(200, 60)) as pilot:
        state = stream.State("execsnoop", "running", hook="syscall tracepoints", without="parents", buffer_bytes=4096)
        await play(pilot, lambda feed: feed.say(state))
        assert "syscall tracepoints  ring buffer 4 KiB" in shown(pilot)
        assert "without parents" in shown(pilot)


async def test_a_dead_collector_leaves_what_it_sent() -> None:
    async with running(what=dropping) as pilot:
        await play(pilot, Feed.lose_collector)
        screen = shown(pilot)
        assert "The collector is gone: killed by SIGKILL" in screen
        assert "cannot allocate memory" in screen
        assert "collector lost" in screen
        assert "+0/s" in screen
        assert len(table(pilot).view.table) > 100
        assert "\x1b" not in screen


async def test_the_end_of_the_stream_is_no_alarm() -> None:
    async with running() as pilot:
        await play(pilot, lambda feed: feed.say(stream.End("stopped")))
        assert "● ended" in shown(pilot)


async def test_notices_are_read_and_never_obeyed() -> None:
    async with running() as pilot:
        said = stream.Notice("warning", "[@click=app.quit]ring\x1b[2J buffer[/] refused")
        await play(pilot, lambda feed: feed.say(said))
        assert "[@click=app.quit]ring" in shown(pilot)
        assert r"\x1b[2J buffer[/]" in shown(pilot)


async def test_rewound_recordings_start_anew() -> None:
    async with running() as pilot:
        kept = len(table(pilot).view.table)

        def again(feed: Feed) -> None:
            feed._post(Rewound())
            feed.start(feed._post)
            feed.play(2)

        await play(pilot, again)
        assert 0 < len(table(pilot).view.table) < kept
        assert table(pilot).view.matched == len(table(pilot).view.table)


async def test_a_terminal_that_is_too_small_says_so() -> None:
    sizes = [(39, 24), (80, 9), (1, 1), (20, 5)]
    async with running(size=sizes[0]) as pilot:
        for width, height in sizes:
            await resize(pilot, (width, height))
            if width >= 20:
                assert f"{width}x{height} is too small" in shown(pilot)
            await resize(pilot, (80, 24))
            assert "too small" not in shown(pilot)
            assert "runqslower" in shown(pilot)


async def test_every_size_has_all_that_matters() -> None:
    async with running(size=(40, 10), what=dropping) as pilot:
        for size in [(40, 10), *SIZES]:
            await resize(pilot, size)
            screen = shown(pilot)
            assert "lost 3,657" in screen
            for program in ("runqslower", "execsnoop", "unlinksnoop"):
                assert program in screen
            assert "? Help" in screen
            assert "q Quit" in screen


async def test_ascii_needs_nothing_else() -> None:
    async with running(Feed(cpus=64), size=(120, 40), config=Config(ascii=True), what=dropping) as pilot:
        await press(pilot, "up", "question_mark")
        assert shown(pilot).isascii()
        await press(pilot, "escape", "C")
        assert shown(pilot).isascii()
        await press(pilot, "escape", "slash", "x")
        assert shown(pilot).isascii()
        await press(pilot, "escape", "ctrl+p")
        assert "Find a command" in shown(pilot)
        assert shown(pilot).isascii()
        await type_in(pilot, "buffers")
        assert "Show the buffers" in shown(pilot)
        assert shown(pilot).isascii()


@pytest.mark.parametrize("programs", [("execsnoop",), ("execsnoop", "unlinksnoop"), usual()])
async def test_a_large_screen_has_a_line_of_buffers_for_each_program(programs: tuple[str, ...]) -> None:
    config = Config(collector=CollectorOptions(programs=programs))
    async with running(Feed(programs=programs), size=(200, 60), config=config) as pilot:
        lines = shown(pilot).splitlines()
        first = next(at for at, line in enumerate(lines) if " buffers 1 " in line)
        numbers = ["1", *(line.split()[0] for line in lines[first + 1 : -1])]
        assert numbers == [str(number) for number in range(1, len(programs) + 1)]


async def test_names_cannot_reach_the_terminal() -> None:
    async with running(size=(200, 60)) as pilot:
        assert any(b"\x1b" in p for p in PATHS)
        strips = pilot.app.screen._compositor.render_strips()
        assert not [s for strip in strips for s in strip if "\x1b" in s.text or s.control]
        assert r"evil \x1b]0;owned\x07[bold]name" in shown(pilot)


async def test_silence_is_told_with_its_age_and_a_key_ends_it() -> None:
    app = viewer()
    async with app.run_test(size=(120, 40)) as pilot:
        await play(pilot)
        line = app.main.drops
        before = line.render_line(0)
        app.model.machine._monotonic_ns = lambda: app.inbox.posted_ns + 5_400_000_000
        await pilot.pause(1 / app.config.fps)
        await settle(pilot)
        assert "nothing from the collector for 5s: r starts it again" in shown(pilot)
        assert "collector running" not in shown(pilot)
        assert "r Retry" in shown(pilot)
        grey = line.part("dim").color
        assert {s.style.color for s in line.render_line(0) if s.style and s.text.strip()} == {grey}
        assert line.render_line(0).text == before.text
        app.model.machine._monotonic_ns = lambda: app.inbox.posted_ns
        await play(pilot)
        assert "collector running" in shown(pilot)


@pytest.mark.parametrize("end", [stream.End("stopped"), Lost("killed by SIGKILL")])
async def test_what_has_ended_is_not_silent(end: stream.End | Lost) -> None:
    app = viewer()
    async with app.run_test(size=(120, 40)) as pilot:
        await play(pilot, lambda feed: feed._post(end))
        app.model.machine._monotonic_ns = lambda: app.inbox.posted_ns + 5_400_000_000
        await pilot.pause(1 / app.config.fps)
        assert "nothing from" not in shown(pilot)


async def test_times_follow_the_wall_clock_of_the_host() -> None:
    async with running() as pilot:
        later = WALL_NS + 3600 * 10**9
        await play(pilot, lambda feed: feed.say(stream.Stats(feed.now, later, [], 0, 0)))
        assert "01:00:0" not in shown(pilot)  # what is shown keeps its time
        await play(pilot, lambda feed: feed.events({"runqslower": 3}))
        assert "01:00:0" in shown(pilot)


async def test_rows_held_on_screen_survive_a_flood() -> None:
    async with running(config=Config(history=1 << 20)) as pilot:
        await press(pilot, "up", "up")
        before = table(pilot).page_text()
        for _ in range(4):
            await play(pilot, lambda feed: feed.events({"runqslower": 3000}))
        assert table(pilot).page_text() == before
        assert table(pilot).view.table.unkept.total() > 0
        assert "not kept" in shown(pilot)
        await press(pilot, "end")
        await play(pilot, lambda feed: feed.events({"runqslower": 3}))
        assert any("not kept: the frozen rows filled the history" in line for line in table(pilot).page_text())


async def test_sorted_tables_sort_again_when_rows_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringtop.tui.app.pump.RESORT_S", 0)
    async with running() as pilot:
        await press(pilot, "1", "s")
        await play(pilot, lambda feed: feed.events({"runqslower": 500}))
        view = table(pilot).view
        values = view.table.ring.values("latency", row_of(view.lines(0, 1)))
        assert values[0] == view.table.ring.column("latency", view.table.first, view.table.end).max()


async def test_short_terminals_give_their_rows_to_the_table_in_focus() -> None:
    async with running(size=(60, 15)) as pilot:
        assert table(pilot).rows == 8
        assert table(pilot, "execsnoop").rows == 0
        await press(pilot, "tab")
        assert table(pilot).rows == 0
        assert table(pilot, "execsnoop").rows == 8
        assert "1 runqslower" in shown(pilot)
        await press(pilot, "1")
        assert table(pilot).rows == 10


@pytest.mark.parametrize("size", [(40, 12), (60, 15)])
async def test_short_terminals_keep_the_rows_while_a_filter_is_typed(size: tuple[int, int]) -> None:
    async with running(size=size) as pilot:
        await press(pilot, "tab")
        rows = table(pilot, "execsnoop").rows
        await press(pilot, "slash")
        await type_in(pilot, "pid=1")
        assert table(pilot, "execsnoop").rows == rows - 2
        await press(pilot, "escape")
        assert table(pilot, "execsnoop").rows == rows


async def refused(pilot: Pilot[int]) -> None:
    """Tracing is not possible."""
    await settle(pilot)
    why = "ringtop: cannot trace: loading BPF programs needs root\nRun it as root: sudo ringtop …"
    feed_of(pilot).say(Lost("exit status 3", why))
    await settle(pilot)


async def test_where_nothing_can_be_traced_why_and_the_cure_are_told() -> None:
    app = viewer(Feed(programs=()))
    async with app.run_test(size=(80, 24)) as pilot:
        await refused(pilot)
        screen = shown(pilot)
        assert "Cannot trace here" in screen
        assert "cannot trace: loading BPF programs needs root" in screen
        assert "Run it as root: sudo ringtop" in screen
        assert "is gone" not in screen
        assert "waiting" not in screen
        assert "demo" not in {k.id for k in keys.listing(app.screen)}
        await press(pilot, "q")
    assert app.return_value == CANNOT_TRACE
    assert "Run it as root: sudo ringtop" in app.parting[-1]


async def test_where_nothing_can_be_traced_a_key_shows_the_demo() -> None:
    app = viewer(Feed(programs=()))
    app.hooks.demo = lambda: ReplaySource(DEMO, label="demo")
    async with app.run_test(size=(80, 24)) as pilot:
        await refused(pilot)
        assert " D Demo" in shown(pilot).splitlines()[-1]
        await press(pilot, "D")
        while not len(table(pilot).view.table):
            await pilot.pause(0.01)
            await settle(pilot)
        screen = shown(pilot)
        assert "Cannot trace" not in screen
        assert "demo" in screen.splitlines()[0]
        assert "Space Play/pause" in screen.splitlines()[-1]
        await press(pilot, "q")
    assert app.return_value == 0


async def test_events_that_no_ledger_explains_are_never_out_of_sight() -> None:
    def broken(feed: Feed) -> None:
        dropping(feed)
        feed.fill({})
        feed._ledgers["runqslower", 0].hits += 3
        feed.stats()
        feed.stats()

    async with running(size=(40, 10), what=broken) as pilot:
        for size in [(40, 10), (60, 15)]:
            await resize(pilot, size)
            line = shown(pilot).splitlines()[1]
            assert "lost 3,657" in line
            assert "unaccounted " in line
            assert "unaccounted 0" not in line


async def test_killed_without_a_word_leaves_no_empty_line() -> None:
    async with running() as pilot:
        await play(pilot, lambda feed: feed.say(Lost("killed by SIGKILL")))
        lines = shown(pilot).splitlines()
        at = next(i for i, line in enumerate(lines) if "The collector is gone: killed by SIGKILL" in line)
        assert "Its events are still here" in lines[at + 1]
