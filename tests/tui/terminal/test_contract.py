"""The Textual that is installed does what ``tui/terminal/contract.py`` says that it does, point by point."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from rich.cells import cell_len, get_character_cell_size
from rich.segment import Segment
from textual import constants, events
from textual._xterm_parser import XTermParser
from textual.app import App, ComposeResult
from textual.drivers import linux_driver
from textual.message import Message
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Input, Static

from ringtop.tui.terminal.canvas import Canvas
from ringtop.tui.terminal.contract import BEGIN, END, RESTORE, TextualDriver
from ringtop.tui.terminal.output import WHERE
from ringtop.tui.text.text import TERMINAL

TEXT = r"[^\x00-\x1f\x7f]+"
PLACE = r"\x1b\[(\d+);(\d+)H"
PAINTED = re.compile(rf"(?:{PLACE}|\x1b\[[\d;]*m{TEXT}\x1b\[0m|{TEXT}|\n(?={PLACE}))+")
OTHERS = re.compile(r"(?:\x1b\[[?<>=][\d;]*(?:\$p|[hlu])|\x1b\][^\x07\x1b]*\x07|\x1b\[6n|\x07)+")
SIZES = [(40, 12), (60, 20)]
JOB = (signal.SIGTSTP, signal.SIGCONT)
LONG_S = 30


def ours(*_: object) -> None:
    """A handler in place of Textual's."""


@dataclass
class Seen:
    """What Textual did, in its order."""

    writes: list[tuple[str, tuple[int, int]]] = field(default_factory=list)
    """Each string, and the size at that time."""
    calls: list[str] = field(default_factory=list)
    """Methods of the driver as they began, and the screens as they were switched."""
    messages: list[Message] = field(default_factory=list)
    got: bytearray = field(default_factory=bytearray)
    """By the terminal."""
    echo: list[bool] = field(default_factory=list)
    """Whether the terminal echoed when a start returned."""
    resized: list[object] = field(default_factory=list)
    """SIGWINCH's handler then."""
    handlers: list[Any] = field(default_factory=list)
    """Those of SIGTSTP and SIGCONT, when the driver was made and after it started again."""
    modes: int = 0
    """Strings until the end began."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def painted(self) -> list[tuple[str, tuple[int, int]]]:
        """What a canvas takes for more than other sequences."""
        return [(data, size) for data, size in self.writes if "".join(Canvas(*size).write(data)) != data]


class Looked(TextualDriver):
    """Textual's own driver, looked at."""

    seen: Seen

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.seen.handlers += map(signal.getsignal, JOB)

    def write(self, data: str) -> None:
        with self.seen.lock:  # the thread that reads the terminal's answers writes, too
            self.seen.writes.append((data, tuple(self.size)))
            self.seen.calls += ["leave"] if "\x1b[?1049l" in data else ["enter"] if "\x1b[?1049h" in data else []
            super().write(data)

    def process_message(self, message: Message) -> None:
        self.seen.messages.append(message)
        super().process_message(message)

    def start_application_mode(self) -> None:
        self.seen.calls.append("start")
        super().start_application_mode()
        self.seen.calls.append("started")
        self.seen.echo.append(bool(termios.tcgetattr(self.fileno)[3] & termios.ECHO))
        self.seen.resized.append(signal.getsignal(signal.SIGWINCH))

    def stop_application_mode(self) -> None:
        self.seen.calls.append("stop")
        super().stop_application_mode()

    def disable_input(self) -> None:
        self.seen.calls.append("disable_input")
        super().disable_input()

    def close(self) -> None:
        super().close()
        self.seen.calls.append("closed")


class Asking(ModalScreen[None]):
    """A screen above another."""

    DEFAULT_CSS = "Asking Static { width: 20; height: 5; border: round red; }"

    def compose(self) -> ComposeResult:
        yield Static("over 界 it")


class Small(App[None]):
    """Does what makes Textual write."""

    def __init__(self, seen: Seen, leader: int) -> None:
        super().__init__(driver_class=type("Looking", (Looked,), {"seen": seen}))
        self.seen, self.leader = seen, leader

    def compose(self) -> ComposeResult:
        yield Static("[b]bold[/b] [red]红色[/red] e\u0301 😀 plain", id="text")
        yield Static("\n".join(f"line {n} 界" * 9 for n in range(30)))
        yield Input("typed")

    def on_mount(self) -> None:
        self.run_worker(self.act())

    async def act(self) -> None:
        text = self.query_one("#text", Static)
        await self.until(lambda: bool(self.seen.painted))

        def refreshed() -> bool:
            text.refresh()
            return any(data == END for data, _ in self.seen.writes)

        await self.until(refreshed)
        for step in (
            lambda: text.update("changed [on blue]界[/on blue]"),
            lambda: self.push_screen(Asking()),
            lambda: self.pop_screen(),
            lambda: self.notify("told"),
            lambda: self.resize(*SIZES[1]),
        ):
            painted = len(self.seen.painted)
            step()
            await self.until(lambda painted=painted: len(self.seen.painted) > painted)  # type: ignore[misc]
        await self.until(lambda: tuple(self.size) == SIZES[1])
        self.bell()
        self.copy_to_clipboard("copied")
        self._driver.write(WHERE)
        await self.until(lambda: any(isinstance(m, events.CursorPosition) for m in self.seen.messages))
        os.write(self.leader, b"\x1b[?2048;2$y")  # it can tell of sizes by itself
        await self.until(lambda: any(data == "\x1b[?2048h" for data, _ in self.seen.writes))
        for number in JOB:
            signal.signal(number, ours)
        painted = len(self.seen.painted)
        with self.suspend():
            self.seen.calls.append("away")
        self.seen.calls.append("back")
        await self.until(lambda: len(self.seen.painted) > painted)
        self.seen.handlers += map(signal.getsignal, JOB)
        self.seen.modes = len(self.seen.writes)
        self.exit()

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.leader, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.kill(os.getpid(), signal.SIGWINCH)

    async def until(self, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(LONG_S):
            while not happened():
                await asyncio.sleep(0.01)


class Pty:
    """A terminal that knows synchronised updates and tells where its cursor is. It stands in for this process's."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.leader, self.follower = pty.openpty()
        self.ends, self._stop = os.pipe()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self) -> Pty:
        self.streams = sys.__stdin__, sys.__stdout__, sys.__stderr__
        self.files = [os.fdopen(os.dup(self.follower), mode) for mode in ("r", "w", "w")]
        sys.__stdin__, sys.__stdout__, sys.__stderr__ = self.files  # type: ignore[misc]
        self.thread.start()
        return self

    def _run(self) -> None:
        while ready := select.select([self.leader, self.ends], [], [])[0]:
            if self.leader not in ready:
                return  # all was read
            data = os.read(self.leader, 1 << 16)
            self.seen.got += data
            for asked, answer in ((b"\x1b[?2026$p", b"\x1b[?2026;2$y"), (WHERE.encode(), b"\x1b[1;1R")):
                os.write(self.leader, answer * data.count(asked))

    def __exit__(self, *_: object) -> None:
        sys.__stdin__, sys.__stdout__, sys.__stderr__ = self.streams  # type: ignore[misc]
        for file in self.files:
            file.close()
        os.close(self._stop)
        self.thread.join()
        for fd in (self.ends, self.leader, self.follower):
            os.close(fd)


@pytest.fixture(scope="module")
def seen() -> Iterator[Seen]:
    """A run with all that makes Textual write."""
    seen = Seen()
    numbers = (*JOB, signal.SIGWINCH, signal.SIGTTIN, signal.SIGTTOU)
    handlers = {number: signal.getsignal(number) for number in numbers}
    with Pty(seen) as terminal, pytest.MonkeyPatch.context() as patch:
        for name in ("COLUMNS", "LINES", "NO_COLOR", "TERM_PROGRAM"):
            patch.delenv(name, raising=False)
        patch.setenv("TERM", "xterm-256color")
        app = Small(seen, terminal.leader)
        app.resize(*SIZES[0])
        asyncio.run(asyncio.wait_for(app.run_async(), LONG_S))
    for number, handler in handlers.items():
        signal.signal(number, handler)
    assert app.return_code == 0
    return seen


def test_everything_goes_through_write(seen: Seen) -> None:
    assert seen.got.replace(b"\r\n", b"\n").decode() == "".join(data for data, _ in seen.writes)


def test_a_string_paints_or_it_does_not(seen: Seen) -> None:
    for data, size in seen.writes:
        paints = "".join(Canvas(*size).write(data)) != data
        assert (PAINTED if paints else OTHERS).fullmatch(data), data
    assert {"\x07", "\x1b]52;c;Y29waWVk\x07"} <= {data for data, _ in seen.writes}


def test_frames_begin_and_end_with_strings_of_their_own(seen: Seen) -> None:
    marks = [data for data, _ in seen.writes if "?2026h" in data or "?2026l" in data]
    assert marks == [BEGIN, END] * (len(marks) // 2)
    assert marks


def corner(data: str) -> tuple[int, int]:
    """How far to the right and down a string paints."""
    texts = re.findall(PLACE + r"((?:(?!\x1b\[\d+;\d+H)[^\n])*)", data)
    ends = [int(x) - 1 + cell_len(re.sub(r"\x1b\[[\d;]*m", "", text)) for _, x, text in texts]
    return max(ends), max(int(y) for y, _, _ in texts)


def test_each_size_is_painted_for(seen: Seen) -> None:
    """As a whole, after all that was painted for another size."""
    for size in SIZES:
        corners = [corner(data) for data, size_then in seen.painted if size_then == size]
        whole = len(corners) - corners[::-1].index(size)
        assert all(x <= size[0] and y <= size[1] for x, y in corners[whole:])


@pytest.mark.slow
def test_a_character_has_one_width() -> None:
    safe = [char for char in map(chr, range(sys.maxunicode + 1)) if TERMINAL.is_safe(char)]
    for start in range(0, len(safe), 512):
        part = safe[start : start + 512]
        widths = [get_character_cell_size(char) for char in part]
        assert [Strip([Segment(char)]).cell_length for char in part] == widths
        assert Strip([Segment("".join(part))]).cell_length == sum(widths)


def test_a_start_returns_when_the_terminal_is_taken(seen: Seen) -> None:
    assert [call for call in seen.calls if call in ("enter", "started")] == ["enter", "started"] * 2
    assert seen.echo == [False, False]
    assert all(map(callable, seen.resized))


def test_input_ends_before_the_screen_is_left(seen: Seen) -> None:
    away, back = seen.calls.index("away"), seen.calls.index("back")
    for calls in (seen.calls[:away], seen.calls[back:]):
        ending = calls[calls.index("stop") :]
        assert ending.index("disable_input") < ending.index("leave") < ending.index("closed") == len(ending) - 1
    assert seen.calls[away:back] == ["away", "start", "enter", "started"]


def test_the_place_of_the_cursor_is_a_message(seen: Seen) -> None:
    assert sum(isinstance(message, events.CursorPosition) for message in seen.messages) == 1


def test_signal_handlers_are_set_once(seen: Seen) -> None:
    made, kept = seen.handlers[:2], seen.handlers[2:]
    assert ours not in made
    assert all(map(callable, made))
    assert kept == [ours, ours]


def test_the_rest_of_a_key_is_waited_for() -> None:
    """As long as was said last, and not shorter than usual."""
    usual = constants.ESCAPE_DELAY
    try:
        for wait, split in ((3600.0, ["right"]), (0.0, ["escape", "[", "C"])):
            TextualDriver.wait_for_keys(wait)
            assert max(usual, wait) == constants.ESCAPE_DELAY
            parser = XTermParser()
            keys = [*parser.feed("\x1b")]
            assert parser._timeout_time is not None
            if not wait:
                parser._timeout_time = 0.0  # it is long over
            keys += [*parser.tick(), *parser.feed("[C")]
            assert [
                key.character if key.is_printable else key.key for key in keys if isinstance(key, events.Key)
            ] == split
    finally:
        TextualDriver.wait_for_keys(0.0)


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        ("\x1bq", ["escape", "q"]),
        ("\x1bQ", ["escape", "Q"]),
        ("\x1b1", ["escape", "1"]),
        ("\x1b/x", ["escape", "slash", "x"]),
        ("\x1b=", ["escape", "equals_sign"]),
        ("\x1b ", ["escape", "space"]),
        ("\x1b\r", ["escape", "enter"]),
        ("\x1b\x1bq", ["escape", "escape", "q"]),
        ("\x1b\x1b[A", ["escape", "up"]),
        ("\x1b[A", ["up"]),
        ("\x1bOP", ["f1"]),
        ("\x1b[113;3u", ["alt+q"]),
        ("\x1b[1;3D", ["alt+left"]),
        ("\x1b\x7f", ["ctrl+w"]),
        ("\x1bb", ["ctrl+left"]),
    ],
)
def test_escape_and_a_character_are_two_keys(sent: str, keys: list[str]) -> None:
    parser: XTermParser = vars(linux_driver)["XTermParser"]()
    assert [key.key for key in parser.feed(sent) if isinstance(key, events.Key)] == keys


@pytest.mark.parametrize("character", "[O]")
def test_escape_and_the_beginning_of_a_sequence_are_two_keys_when_no_more_follows(character: str) -> None:
    parser: XTermParser = vars(linux_driver)["XTermParser"]()
    assert [*parser.feed(f"\x1b{character}")] == []
    parser._timeout_time = 0.0
    assert [key.character for key in parser.tick() if isinstance(key, events.Key)] == ["\x1b", character]


def test_all_modes_are_undone(seen: Seen) -> None:
    usual = {"7": "h", "25": "h"}
    modes: dict[str, str] = {}
    keys = 0
    for data in [*(data for data, _ in seen.writes[: seen.modes]), RESTORE.decode()]:
        for names, value in re.findall(r"\x1b\[\?([\d;]+)([hl])", data):
            modes |= dict.fromkeys(names.split(";"), value)
        keys += len(re.findall(r"\x1b\[>\d+u", data)) - data.count("\x1b[<u")
    assert {mode: value for mode, value in modes.items() if value != usual.get(mode, "l")} == {}
    assert keys == 0
