"""Transport, buffer and wakeup mode are changed, and compared, while events flow."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.command import CommandList
from textual.pilot import Pilot
from textual.widgets import Input

from ringtop.bpf import stream
from ringtop.bpf.common.sizes import LARGEST, PAGE, human
from ringtop.bpf.stream import Compare, Retune
from ringtop.tui.app.app import Viewer
from ringtop.tui.app.hooks import Hooks
from ringtop.tui.source.replay import ReplaySource
from ringtop.tui.widgets import keys
from ringtop.tui.widgets.ask import Ask
from ringtop.tui.widgets.main import Main
from ringtop.tui.widgets.report import Report
from tests.tui.feed import Feed
from tests.tui.source.recordings import Clock, write
from tests.tui.viewing import feed_of, main_of, play, press, running, settle, shown, table, type_in

OFFERED = {"transport", "larger", "smaller", "wakeup", "compare"}


def few(feed: Feed) -> None:
    """Some events after a change."""
    feed.events({"runqslower": 3, "execsnoop": 2})
    feed.stats()


async def palette(pilot: Pilot[int], name: str) -> None:
    """Choose a command by its name."""
    await press(pilot, "ctrl+p")
    await type_in(pilot, name)
    while not pilot.app.screen.query_one(CommandList).option_count:
        await pilot.pause(0.05)
    await press(pilot, "enter")


async def test_t_switches_the_transport_of_the_table_in_focus() -> None:
    async with running(size=(200, 60)) as pilot:
        await press(pilot, "b", "t")
        assert feed_of(pilot).controls == [Retune(transport="other", programs=["runqslower"])]
        await play(pilot, few)
        lines = table(pilot).page_text()
        change = "changed: ring buffer 256 KiB → perf buffers 2x128 KiB, 0 lost, 3.10 ms, 41 in flight; seq "
        assert change in lines[-4]
        assert "runqslower  waits >= 10 ms  raw tracepoints, BTF offsets  perf buffers 2x128 KiB" in shown(pilot)
        assert "before       now" in shown(pilot)
        await press(pilot, "tab", "t", "t")
        assert [c.programs for c in feed_of(pilot).controls[1:] if isinstance(c, Retune)] == [["execsnoop"]] * 2
        assert "execsnoop  sched_process_exec, BTF offsets  ring buffer 256 KiB" in shown(pilot)


async def test_figures_of_now_are_not_those_of_before() -> None:
    async with running(size=(200, 60)) as pilot:
        await press(pilot, "b", "1", "t")
        assert "buffer       ring 256K         -" in shown(pilot)
        await play(pilot, few)
        assert "buffer       ring 256K perf 128K" in shown(pilot)


async def test_plus_and_minus_double_and_halve_the_buffer() -> None:
    async with running() as pilot:
        for key in "++-":
            await press(pilot, key)
        sizes = [c.buffer_bytes >> 10 for c in feed_of(pilot).controls if isinstance(c, Retune)]
        assert sizes == [512, 1024, 512]
        assert "ring buffer 512 KiB" in shown(pilot)


async def test_keys_pressed_before_the_answer_are_steps_of_their_own() -> None:
    async with running() as pilot:
        main = main_of(pilot)
        for what in ("larger", "larger", "larger", "smaller", "wakeup", "wakeup"):
            main.action_retune(what)
        await settle(pilot)
        asked = [c for c in feed_of(pilot).controls if isinstance(c, Retune)]
        assert [c.buffer_bytes >> 10 for c in asked[:4]] == [512, 1024, 2048, 1024]
        assert [c.wakeup for c in asked[4:]] == ["adaptive", "every"]
        assert main.model.machine.wanted == {}


async def test_keys_of_one_burst_are_for_the_table_that_was_chosen() -> None:
    """And of the other transport nobody knows the size before the collector tells it."""
    async with running() as pilot:
        main = main_of(pilot)
        main.action_table(2)
        main.action_retune("transport")
        main.action_retune("larger")
        await settle(pilot)
        assert feed_of(pilot).controls == [Retune(transport="other", programs=["execsnoop"])]
        main.action_retune("larger")
        await settle(pilot)
        assert feed_of(pilot).controls[1:] == [Retune(buffer_bytes=256 << 10, programs=["execsnoop"])]


async def test_what_was_refused_is_not_counted_on() -> None:
    async with running() as pilot:
        main = main_of(pilot)
        main.action_retune("larger")
        main.model.take(stream.Notice("error", "no memory", "runqslower"))
        assert main.model.machine.wanted == {}
        main.action_retune("larger")
        await settle(pilot)
        assert [c.buffer_bytes >> 10 for c in feed_of(pilot).controls if isinstance(c, Retune)] == [512, 512]


def told(pilot: Pilot[int]) -> list[str]:
    """What notifications say."""
    return [n.message for n in pilot.app._notifications]


@pytest.mark.parametrize(
    ("key", "size", "why"),
    [("+", LARGEST, "no buffer is larger than 1G"), ("-", PAGE, f"no buffer is smaller than a page, {human(PAGE)}")],
)
async def test_a_buffer_has_its_limits_and_the_key_says_so(key: str, size: int, why: str) -> None:
    async with running() as pilot:
        feed_of(pilot).send(Retune(buffer_bytes=size))
        await settle(pilot)
        await press(pilot, key)
        assert len(feed_of(pilot).controls) == 1
        assert told(pilot) == [why]


async def test_keys_that_need_a_ring_buffer_say_that_there_is_none_before_they_ask_for_anything() -> None:
    none = "this kernel has no BPF ring buffer (it came with 5.8)"
    async with running(Feed(transport="perfbuf", no_ringbuf=none)) as pilot:
        await press(pilot, "t", "A")
        assert isinstance(pilot.app.screen, Main)
        assert feed_of(pilot).controls == []
        assert [text.partition(": ")[0] for text in told(pilot)] == [none, none]
        assert none in " ".join(shown(pilot).split())
        assert not any("of all tables" in c.title for c in pilot.app.get_system_commands(pilot.app.screen))
        await press(pilot, "+", "w")
        assert len(feed_of(pilot).controls) == 2


async def test_w_goes_through_the_wakeup_modes() -> None:
    async with running(size=(200, 60)) as pilot:
        await press(pilot, "w")
        await play(pilot, few)
        assert "wakeup timer → adaptive, 0 lost" in shown(pilot)
        assert "wakeup adaptive  " in shown(pilot)
        for key in "www":
            await press(pilot, key)
        modes = [c.wakeup for c in feed_of(pilot).controls if isinstance(c, Retune)]
        assert modes == ["adaptive", "every", "batch:64", "timer"]


async def test_A_compares_both_transports_and_reports() -> None:
    async with running() as pilot:
        await press(pilot, "A")
        assert isinstance(pilot.app.screen, Ask)
        assert isinstance(pilot.app.focused, Input)
        await press(pilot, "x", "enter")
        assert "'x' is not a number of seconds" in shown(pilot)
        await press(pilot, "backspace", "2", "enter")
        assert feed_of(pilot).controls == [Compare(2, ["runqslower"])]
        assert "ring buffer 256 KiB  comparing  " in shown(pilot)
        await press(pilot, "A")
        assert isinstance(pilot.app.screen, Main)
        assert told(pilot)[-1] == "the transports are being compared already"
        await play(pilot, lambda feed: feed.play(8))
        assert isinstance(pilot.app.screen, Report)
        screen = shown(pilot)
        assert "ring 256K     perf 128K" in screen
        assert "choose: ring buffer, because it loses less" in screen
        assert "unaccounted 0" in screen
        assert "copies unaccounted" not in screen
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, Main)
        assert "comparing" not in shown(pilot)
        await play(pilot, few)
        assert any("compared for 2 s, choose: ring buffer" in line for line in table(pilot).page_text())


@pytest.mark.parametrize("keys", [["slash"], ["question_mark"]])
async def test_a_report_waits_until_the_keyboard_is_free(keys: list[str]) -> None:
    async with running() as pilot:
        await press(pilot, "A", "1", "enter", *keys)
        under = pilot.app.screen
        await play(pilot)
        assert pilot.app.screen is under
        assert "runqslower: the comparison is done" in " ".join(n.message for n in pilot.app._notifications)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, Report)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, Main)


async def test_ten_seconds_unless_said_otherwise() -> None:
    async with running() as pilot:
        await press(pilot, "A", "enter")
        assert feed_of(pilot).controls == [Compare(10, ["runqslower"])]


async def test_all_tables_from_the_palette_in_one_report() -> None:
    async with running() as pilot:
        feed_of(pilot).residual = 3
        await palette(pilot, "Switch transport of all")
        assert feed_of(pilot).controls == [Retune(transport="other")]
        assert shown(pilot).count("perf buffers 2x128 KiB") == 6  # titles and notes
        await palette(pilot, "Compare transports of all")
        await press(pilot, "1", "enter")
        assert feed_of(pilot).controls[1:] == [Compare(1, [])]
        await play(pilot)
        report = pilot.app.screen
        assert isinstance(report, Report)
        said = "\n".join(str(s.render()) for s in report.query("Static"))
        assert all(f"{program}, " in said for program in feed_of(pilot).programs)
        assert said.count("3 copies unaccounted") == 3
        assert sum(isinstance(s, Report) for s in pilot.app.screen_stack) == 1


async def test_what_a_mark_has_no_room_for_is_told_below() -> None:
    async with running(size=(80, 24)) as pilot:
        await press(pilot, "t", "1")
        await play(pilot, few)
        assert "on CPU 1" not in shown(pilot)
        await press(pilot, "up", "up", "up")
        assert "on CPU 1" in shown(pilot)


async def test_a_change_stands_where_it_was_though_it_is_told_later() -> None:
    async with running() as pilot:
        before = stream.Period("ringbuf", 4096, "timer", 4096, 1.0, 1, 0, 0, 0, 0, [1])
        ts = int(table(pilot).view.table.ring.slice(0, 10**9).rows["ts"][-4])
        changed = stream.Changed("runqslower", before, "perfbuf", 4096, "timer", ts, 5, 0, 9, [])
        await play(pilot, lambda feed: feed.say(changed))
        assert "perf buffers 2x4 KiB, 9 lost" in table(pilot).page_text()[-4]
        mark = table(pilot)._page[len(table(pilot)._page) - 4]
        assert next(iter(mark)).style.bgcolor == table(pilot).part("gap").bgcolor


async def test_nothing_is_offered_that_nobody_would_hear() -> None:
    async with running(Feed(failed=("execsnoop",))) as pilot:
        assert {k.id for k in keys.listing(pilot.app.screen)} & OFFERED == OFFERED
        await press(pilot, "2")
        assert not {k.id for k in keys.listing(pilot.app.screen)} & OFFERED
        await press(pilot, "0", "1")
        assert {k.id for k in keys.listing(pilot.app.screen)} & OFFERED == OFFERED
        await play(pilot, Feed.lose_collector)
        assert not {k.id for k in keys.listing(pilot.app.screen)} & OFFERED
        await press(pilot, "t", "+", "A")
        assert feed_of(pilot).controls == []


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    said: list[stream.AnyMessage] = []
    feed = Feed()
    feed.start(lambda item: said.append(item) if isinstance(item, stream.Message) else None)
    feed.play(4)
    feed.send(Retune(transport="other"))
    feed.send(Compare(0.5, ["runqslower"]))
    few(feed)
    few(feed)
    few(feed)
    return write(tmp_path / "a.ringtop", [*said, stream.End("done")])


async def test_a_replay_shows_marks_and_no_report(recording: Path) -> None:
    source = ReplaySource(recording, clock=Clock(1))
    app = Viewer([source], hooks=Hooks(monotonic_ns=lambda: 0))
    async with app.run_test(size=(200, 60)) as pilot:
        while not source.status.ended:
            await pilot.pause(0.01)
        await settle(pilot)
        await press(pilot, "b")
        assert isinstance(app.screen, Main)
        page = "\n".join(table(pilot).page_text())
        assert "ring buffer 256 KiB → perf buffers 2x128 KiB, 0 lost" in page
        assert "compared for 0 s, choose: ring buffer" in page
        assert "before       now" in shown(pilot)
        assert not {k.id for k in keys.listing(app.screen)} & OFFERED
        assert not any("of all tables" in c.title for c in app.get_system_commands(app.screen))


async def test_rows_that_came_late_are_flagged() -> None:
    def late(feed: Feed) -> None:
        rows = feed._rows("runqslower", 3, 1000)
        batch = stream.batch(rows).rows.copy()
        batch["late"][1] = 1
        feed.late = 1
        feed.say(stream.Round(feed.now, feed.now, [stream.Rows("runqslower", batch.tobytes(), b"")]))
        feed.stats()

    async with running() as pilot:
        await play(pilot, late)
        times = [line.split()[0] for line in table(pilot).page_text()[-3:]]
        assert [t[-1] == "!" for t in times] == [False, True, False]
        await press(pilot, "1", "b")
        assert any(line.split()[-2:] == ["late", "1"] for line in shown(pilot).splitlines())
        await press(pilot, "up")
        assert "late yes" in shown(pilot)
