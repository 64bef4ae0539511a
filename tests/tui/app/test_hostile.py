"""A screen on which everything that comes from elsewhere is hostile: nothing is obeyed, nothing leaves its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.pilot import Pilot

from ringtop.bpf import stream
from ringtop.bpf.event.cgroup import Membership
from ringtop.bpf.event.schema import SCHEMAS, usual
from ringtop.tui.app.app import Viewer
from ringtop.tui.app.hooks import Hooks
from ringtop.tui.app.news import MOST_NOTICES
from ringtop.tui.draw import cells
from ringtop.tui.draw.columns import Placed
from ringtop.tui.model.store import Event
from ringtop.tui.process.card import Ancestor, Card
from ringtop.tui.settings import toml
from ringtop.tui.settings.config import Config
from ringtop.tui.settings.state import SavedState
from ringtop.tui.source.source import Lost
from ringtop.tui.text import glyphs, text
from ringtop.tui.widgets import detail
from ringtop.tui.widgets.filterbar import FilterInput
from ringtop.tui.widgets.main import Main
from ringtop.tui.widgets.rows import fitted
from tests.safety import assert_safe
from tests.samples import NASTY, batches, make, texts
from tests.tui.feed import Feed
from tests.tui.viewing import SIZES, press, settle, shown, table

pytestmark = pytest.mark.slow
PILE = "e" + "\u0301" * 9
SAID = "[@click=app.quit]{0}%s\x1b]0;x\x07\x9b2J\u202e\u2066a\u200d\ufe0f\U0001f1e9" + PILE + "日\r\n\x7f\u3164"
RAW = SAID.encode() + b"\xff\x80\x9b"
COMM = b"\x1b[31m\xc2\x9b\xe2\x80\xae[b]"


def hostile(feed: Feed) -> None:
    """Events of processes, programs and files that are called so."""
    for program, event in (
        ("runqslower", {"comm": COMM, "prev_comm": COMM, "latency": 5}),
        ("execsnoop", {"comm": COMM, "filename": RAW, "argv": [RAW, *NASTY]}),
        ("unlinksnoop", {"comm": COMM, "path": RAW}),
    ):
        batch = make(program, [{"pid": 7, "ts": feed.now, "seq": n} | event for n in range(3)])  # type: ignore[dict-item]
        feed.say(stream.Round(feed.now, feed.now, [stream.rows(batch)]))


def period() -> stream.Period:
    return stream.Period("ringbuf", 4096, SAID, 4096, 1.0, 1, 1, 1, 1, 1, [1])


def ledger(feed: Feed) -> stream.Stats:
    drops = {SAID: 3, "full": 1}
    cpu = stream.CpuStats(0, 9, 1, 8, 4, drops, 99, 4, 0, 10, 10, 0)
    part = stream.ProgramStats("execsnoop", "ringbuf", [cpu], 10, 4096, 1, [1], 0, now=period())
    return stream.Stats(feed.now, 0, [part], 1, 1)


def running(program: str) -> stream.State:
    said = dict.fromkeys(("hook", "without", "wakeup", "capture", "reason"), SAID)
    return stream.State(program, "running", tried=[SAID], buffer_bytes=4096, **said)


def speak(feed: Feed) -> list[Callable[[], None]]:
    """All that a stream can say, one thing after another."""
    say = feed.say
    name = SAID[:200]
    return [
        lambda: say(stream.Hello(name, name, name, name, [0], [name], 1, 0, stream.dtypes())),
        lambda: say(stream.Progress("execsnoop", SAID)),
        lambda: say(stream.State("execsnoop", "failed", tried=[SAID], reason=SAID)),
        lambda: [say(running(p)) for p in usual()] and None,
        lambda: hostile(feed),
        lambda: say(ledger(feed)),
        lambda: say(stream.Changed("execsnoop", period(), "perfbuf", 4096, SAID, 1, 1, 1, 1, [(0, 1, 2)])),
        lambda: hostile(feed),
        lambda: say(stream.Compared("execsnoop", period(), period(), 1, "ringbuf", SAID)),
        lambda: say(stream.Notice("error", SAID, "execsnoop")),
        lambda: feed._post(Lost(SAID, SAID)),
    ]


def card(pid: int, since: float | None) -> Card:
    member = Membership(SAID, SAID, SAID, SAID, SAID)
    before = (Ancestor(1, COMM),)
    return Card(pid, "here", COMM, (RAW, *NASTY), before, SAID, 0, member, 1, 1e9, RAW, RAW, "running")


def assert_harmless(pilot: Pilot[int]) -> None:
    """All lines are as wide as the screen, and none holds anything that a terminal would obey."""
    for strip in pilot.app.screen._compositor.render_strips():
        assert_safe(strip.text)
        assert cell_len(strip.text) == strip.cell_length == pilot.app.size.width
    assert pilot.app.is_running


@pytest.mark.parametrize("size", SIZES[::2])
async def test_nothing_that_a_stream_says_is_obeyed(size: tuple[int, int]) -> None:
    feed = Feed()
    feed.label = "local"
    app = Viewer([feed], hooks=Hooks(process=card, monotonic_ns=lambda: 0))
    async with app.run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        for say in speak(feed):
            say()
            await settle(pilot)
            assert_harmless(pilot)
        await press(pilot, "escape")  # the report
        for key in (*"3kyY", "enter", "y", "escape", *"2klll", "equals_sign"):
            await pilot.press(key)
            await pilot.pause(0.05)  # the card is read for ever: there is no end to wait for
            assert_harmless(pilot)
            for line in app.clipboard.replace("\t", "\n").split("\n"):
                assert_safe(line)
        assert r"\x1b" in app.clipboard
        for key in ("escape", "slash", *"path=", "tab"):
            await pilot.press(key)
            await pilot.pause(0.02)
            assert_harmless(pilot)
        assert "\\x1b]0;x\\x07" in shown(pilot) or size[0] < 100


@pytest.mark.parametrize("event", [{"path": b"\xff" * 4095}, {"path": b"a\0b"}])
async def test_a_value_that_no_filter_can_hold(event: dict[str, bytes]) -> None:
    app = Viewer([Feed()], hooks=Hooks(monotonic_ns=lambda: 0))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot)
        app.inbox.post(stream.Round(1, 1, [stream.rows(make("unlinksnoop", [event]))]))
        await press(pilot, "3", "up", "right", "right", "equals_sign")
        assert table(pilot, "unlinksnoop").column == "full"
        assert_harmless(pilot)
        assert app.filters.text == ""
        assert app.filters.used == []
        assert table(pilot, "unlinksnoop").view.matched == 1


async def test_a_flood_of_notices_is_cut() -> None:
    feed = Feed()
    app = Viewer([feed], hooks=Hooks(monotonic_ns=lambda: 0))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot)
        for i in range(500):
            feed.say(stream.Notice("info", f"{i}"))
        await settle(pilot)
        assert len(app._notifications) == MOST_NOTICES


async def test_nothing_in_config_state_and_themes_is_obeyed(tmp_path: Path) -> None:
    (tmp_path / "evil\x1b]0;x\x07\u202e[b]\n.toml").write_text("[colors]\nprimary='red'")
    (tmp_path / "mine\n.toml").write_text("[colors]\nprimary='red'")
    (tmp_path / "about.toml").write_text('about = "\\u001b[2J[@click=app.quit]x\\u202e"\n[colors]\nprimary="red"')
    (tmp_path / "broken.toml").write_text('[colors]\n"\\u001b]0;x\\u202e" = "red"')
    folder = str(tmp_path / SAID)
    config = Config(keys={"quit": SAID, "themes": "[bold]", SAID: "x"}, recordings=folder, filter=SAID)
    state = SavedState(filters=[SAID, 'comm="\x1b\u200d"'], captures=[SAID], theme=SAID)
    app = Viewer([Feed()], config, state, Hooks(themes=toml.sources(tmp_path), monotonic_ns=lambda: 0))
    async with app.run_test(size=(120, 60), notifications=True) as pilot:
        await settle(pilot)
        assert_harmless(pilot)
        assert set(app.available_themes) & {"about", "mine\n", "broken"} == {"about"}
        visits = (
            ("question_mark", "escape"),
            ("slash", "up", "up", "escape"),
            ("c", "up", "escape"),
            ("R",),
            ("ctrl+p",),
        )
        for keys in visits:
            for key in keys:
                await press(pilot, key)
                await settle(pilot)
                assert_harmless(pilot)
        assert "[@click=app.quit]" in shown(pilot)  # the keys of "Quit", in the palette
        await press(pilot, "escape")
        app.action_themes()
        await settle(pilot)
        assert_harmless(pilot)
        await press(pilot, "down")
        assert app.theme == "about"
        assert_harmless(pilot)


async def test_recordings_go_nowhere_when_there_is_no_such_user() -> None:
    app = Viewer([Feed()], Config(recordings="~nobody-of-that-name\x1b/x"), hooks=Hooks(monotonic_ns=lambda: 0))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "R")
        assert_harmless(pilot)
        assert isinstance(app.screen, Main)


async def test_what_is_pasted_is_shown_as_it_is_read() -> None:
    app = Viewer([Feed()], hooks=Hooks(monotonic_ns=lambda: 0))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "slash")
        app.post_message(events.Paste('comm="\x1b]0;\u202e'))
        await settle(pilot)
        await press(pilot, '"')
        assert app.screen.query_one(FilterInput).value == r'comm="\x1b]0;\u202e"'
        assert app.filters.text == r'comm="\x1b]0;\u202e"'
        assert_harmless(pilot)


@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n"])
async def test_all_lines_that_are_pasted_are_in_force(line_end: str) -> None:
    app = Viewer([Feed()], hooks=Hooks(monotonic_ns=lambda: 0))
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "slash")
        app.post_message(events.Paste(f"comm=nginx{line_end}and pid=23{line_end}"))
        await press(pilot, "enter")
        assert app.filters.text == "comm=nginx and pid=23"


@given(st.data(), st.integers(1, 60), st.sampled_from([0, 8, 16]), st.sampled_from(["argv", "path", "comm", "pid"]))
def test_no_text_is_wider_or_narrower_than_its_column(data: st.DataObject, width: int, offset: int, name: str) -> None:
    field = next(f for s in SCHEMAS.values() for f in s.fields if f.name == name)
    place = Placed(field, 0, width)
    shown = text.visible(data.draw(texts(200)))
    segments = fitted(shown, place, Style(), glyphs.UNICODE.ellipsis, offset)
    assert sum(cell_len(s.text) for s in segments) == width


@given(batches(max_size=3), st.integers(20, 120))
def test_no_line_of_the_detail_is_wider_than_the_screen(batch: cells.Batch, width: int) -> None:
    for i in range(len(batch)):
        lines = detail.wrap(detail.items(Event(i, batch.take(slice(i, i + 1))), cells.Clock()), width)
        for line in lines:
            used = sum(text.width(f"{name} {said}" if name else f"  {said}") for name, said in line) + 2 * (
                len(line) - 1
            )
            assert used <= width
