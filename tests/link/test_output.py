"""What is sent and when, by an output whose terminal and clock are made up."""

from __future__ import annotations

import threading

import pytest

from ringtop.tui.terminal.contract import BEGIN, END
from ringtop.tui.terminal.link import Link
from ringtop.tui.terminal.output import WHERE, Output
from tests.link.emulator import Emulator
from tests.processes import eventually

pytestmark = pytest.mark.beside
SIZE = (20, 2)


def frame(text: str) -> str:
    """As Textual writes it."""
    return f"\x1b[1;1H\x1b[1m{text}\x1b[0m\x1b[1;1H"


class Made:
    """An output whose next bytes are asked for, and a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.output = Output(lambda data: None, Link(lambda: self.now))
        self.terminal = Emulator(*SIZE)

    def write(self, data: str) -> None:
        """A program writes."""
        self.output.write(data, SIZE)

    def next(self) -> str:
        """What the terminal would get now."""
        data = self.output.next()
        self.terminal.feed(data.encode())
        return data


def test_only_what_changed() -> None:
    """And nothing when nothing did."""
    made = Made()
    made.write(frame("count 1000"))
    assert made.next().endswith(WHERE)
    made.write(frame("count 1001"))
    assert made.next() == "\x1b[1m\x1b[1;10H1\x1b[1;1H\x1b[m" + WHERE
    made.write(frame("count 1001"))
    assert made.next() == ""
    assert made.terminal.lines[0] == "count 1001"


def test_old_frames_are_not_sent() -> None:
    """While the terminal owes an answer, the newest replaces the others."""
    made = Made()
    made.write(frame("0"))
    made.next()
    made.output.answer()
    made.write(frame("1"))
    made.next()
    for n in range(2, 50):
        made.now += 0.15
        made.write(frame(str(n)))
        assert n == 2 or made.next() == "", n
    made.output.answer()
    assert "49" in made.next().replace("\x1b[m", "")
    assert made.terminal.lines[0] == "49"


def test_others_do_not_wait() -> None:
    """Modes and the clipboard leave at once, also while frames wait."""
    made = Made()
    made.write("\x1b[?1049h")
    made.write(frame("0"))
    assert made.next().startswith("\x1b[?1049h")
    made.output.answer()
    made.write(frame("1"))
    made.next()
    made.now += 5
    made.write(frame("2"))
    made.write("\x07")
    assert made.next() == "\x07"


def test_synchronised_updates() -> None:
    """Where Textual knows of them."""
    made = Made()
    for data in (BEGIN, frame("1"), END):
        made.write(data)
    data = made.next()
    assert data.startswith(BEGIN)
    assert data.endswith(END + WHERE)


def test_a_terminal_that_changed_by_itself() -> None:
    """After a resize nothing is taken to be there still."""
    made = Made()
    made.write(frame("whole"))
    made.next()
    made.terminal.resize(*SIZE)
    made.output.link.stale = True
    made.write(frame("whole"))
    made.next()
    assert made.terminal.lines[0] == "whole"


def test_a_terminal_without_an_alternate_screen_goes_on_below_the_last_frame() -> None:
    """As the Linux console and GNU screen do."""
    made = Made()
    made.write("\x1b[2;1H\x1b[1mthe last line\x1b[0m\x1b[1;1H")
    made.next()
    made.output.hold(0)
    made.write("\x1b[?1049l")
    made.next()
    made.terminal.feed(b"$ ")
    assert made.terminal.lines == ["the last line", "$"]


def test_nothing_ever_waits_for_the_terminal() -> None:
    """A terminal that takes nothing holds up neither frames nor the end; then it gets the newest frame alone."""
    reads = threading.Event()
    got: list[bytes] = []

    def send(data: bytes) -> None:
        reads.wait()
        got.append(data)

    output = Output(send, Link())
    output.start()
    for n in range(10_000):
        output.write(frame(f"{n:05}"), SIZE)
    reads.set()

    def newest() -> bool:
        terminal = Emulator(*SIZE)
        terminal.feed(b"".join(got))
        return terminal.lines[0].startswith("09999")

    assert eventually(newest)
    output.hold(0.1)
    output.close(60)
    assert not output.alive
    assert len(b"".join(got)) < 1000


def test_a_terminal_that_is_gone() -> None:
    """Writing goes on into nothing."""

    def send(data: bytes) -> None:
        raise OSError(5, "Input/output error")

    output = Output(send, Link())
    output.start()
    output.write(frame("1"), SIZE)
    output.write(frame("2"), SIZE)
    output.hold(0.1)
    output.close(60)
    assert not output.alive
