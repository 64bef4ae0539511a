"""The viewer at the end of a line that is thin, or stalls."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.link.wire import Wire

FEED = (sys.executable, "-m", "tests.tui.live_feed")
TURNS = 60
EACH = 10 * TURNS
"""Events of each program when the feed falls silent, at 300 a second."""
SHELL = b"$ ringtop\r\n"
"""What stands on the terminal before."""
LONG_S = 60
"""Patience with a busy machine."""


@pytest.fixture
def start() -> Iterator[Callable[..., Wire]]:
    """Start the viewer on a made-up feed."""
    wires: list[Wire] = []

    def wire(**options: object) -> Wire:
        made = Wire([*FEED, "--rate", "300", "--turns", str(TURNS)], **options)  # type: ignore[arg-type]
        wires.append(made)
        made.emulator.feed(SHELL)
        assert made.until(lambda: "running" in made.emulator.lines[0], LONG_S), made.emulator.lines
        made.type("VV")  # events alone: their titles tell how many there are
        return made

    yield wire
    for each in wires:
        each.close()


def finished(wire: Wire) -> bool:
    """The screen says that all events came, and none was lost."""
    screen = "\n".join(wire.emulator.lines)
    return len(re.findall(rf"\b{EACH} of {EACH}\b", screen)) == 3 and "lost 0 " in screen and "unaccounted 0" in screen


@pytest.mark.parametrize("options", [{}, {"room": 1 << 18}, {"answers": False}], ids=["pty", "ssh", "silent"])
def test_a_stalled_terminal(start: Callable[..., Wire], options: dict[str, object]) -> None:
    """The counters go on, nothing is lost, and nothing old is shown afterwards."""
    wire = start(**options)
    wire.stalled = True
    wire.run(TURNS / 10 + 1)
    before = wire.shown
    wire.stalled = False
    assert wire.until(lambda: finished(wire), LONG_S), wire.emulator.lines
    # What the kernel kept, and one whole screen at most: a queue of frames would be many times that.
    assert wire.shown - before < 40_000


def test_a_thin_line(start: Callable[..., Wire]) -> None:
    """The header tells what limits; the end is shown all the same."""
    wire = start(rate=6_000, room=1 << 18)
    assert wire.until(lambda: "behind" in wire.emulator.lines[0], LONG_S), wire.emulator.lines
    assert re.search(r"link [\d.]+ KiB/s, [\d.]+ s behind", wire.emulator.lines[0])
    assert wire.until(lambda: finished(wire), LONG_S), wire.emulator.lines
    assert wire.until(lambda: "behind" not in wire.emulator.lines[0], LONG_S), wire.emulator.lines


def test_leaving_while_the_terminal_is_stalled(start: Callable[..., Wire]) -> None:
    """q works though nothing can be written."""
    wire = start()
    wire.stalled = True
    wire.run(TURNS / 10)
    wire.type("q")
    wire.run(1)
    try:
        assert wire.process.wait(LONG_S) == 0
    except subprocess.TimeoutExpired:
        pytest.fail("it waits for its terminal")


def test_the_terminal_is_given_back(start: Callable[..., Wire]) -> None:
    """As it was: no answer reaches the shell, neither the first nor the last, and nothing is drawn on its screen."""
    wire = start(delay=0.1)
    wire.type("q")
    assert wire.until(lambda: wire.process.poll() is not None, LONG_S)
    wire.run(0.5)
    assert [line for line in wire.emulator.lines if line] == ["$ ringtop"]
    assert wire.emulator.cursor == (1, 0)


def test_what_others_wrote_on_the_terminal(start: Callable[..., Wire]) -> None:
    """Ctrl+L removes it."""
    wire = start()
    wire.emulator.feed(b"\x1b[1;1HBroadcast message: lunch")
    wire.type("\x0c")
    assert wire.until(lambda: wire.emulator.lines[0].startswith(" ringtop"), LONG_S), wire.emulator.lines
