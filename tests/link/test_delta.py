"""A terminal that is sent differences shows what one shows that is sent everything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.tui.terminal.canvas import Canvas
from ringtop.tui.terminal.delta import delta
from ringtop.tui.terminal.pen import PLAIN, after, change
from tests.link.emulator import Emulator
from tests.tui.viewing import dropping, feed_of, play, press, running

pytestmark = pytest.mark.beside


WIDTH, HEIGHT = 24, 6
SEEN = {"4=on", "5=on", "7=on", "9=on"}
TEXTS = st.text(st.sampled_from("ab  é█界😀\u0301"), min_size=1, max_size=12)
SGRS = st.lists(
    st.sampled_from(["1", "2", "4", "7", "9", "31", "94", "38;5;7", "38;2;1;2;3", "42", "48;2;4;5;6", "39"]), max_size=3
).map(";".join)
WRITES = st.lists(st.tuples(st.integers(1, HEIGHT), st.integers(1, WIDTH), SGRS, TEXTS), max_size=12).map(
    lambda given: "".join(f"\x1b[{y};{x}H\x1b[{sgr or 0}m{text}\x1b[0m" for y, x, sgr, text in given)
)


def seen(terminal: Emulator) -> list[list[object]]:
    """What a person sees: of a space only what is not the letter's."""
    return [
        [
            (cell, style) if cell != " " or style & SEEN else (cell, {s for s in style if s.startswith("bg")})
            for cell, style in zip(line, styles, strict=True)
        ]
        for line, styles in zip(terminal.cells, terminal.styles, strict=True)
    ]


def whole(canvas: Canvas) -> Emulator:
    """A terminal that knew nothing before."""
    terminal = Emulator(canvas.width, canvas.height)
    terminal.feed(delta(None, canvas).encode())
    return terminal


@given(st.lists(WRITES, min_size=1, max_size=4))
def test_differences_add_up(frames: list[str]) -> None:
    """Whatever was written, wide and combined characters and their halves included."""
    canvas, shown = Canvas(WIDTH, HEIGHT), None
    terminal = Emulator(WIDTH, HEIGHT)
    for frame in frames:
        assert canvas.write(frame) == []
        terminal.feed(delta(shown, canvas).encode())
        shown = canvas.copy()
        assert seen(terminal) == seen(whole(canvas))
        assert delta(shown, canvas) == ""


@given(SGRS, SGRS)
def test_pens(one: str, other: str) -> None:
    """The sequence from one pen to another leads there, and nothing is sent for nothing."""
    old, new = after(PLAIN, one), after(PLAIN, other)
    assert after(old, change(old, new)[2:-1]) == new if old != new else change(old, new) == ""


async def test_a_screen_in_use() -> None:
    """What Textual writes for the whole screen, and the sum of the differences, look the same."""
    async with running(what=dropping) as pilot:
        canvas, shown = Canvas(120, 40), None
        terminal = Emulator(120, 40)

        def show() -> None:
            nonlocal shown
            frame = pilot.app.screen._compositor.render_full_update().render_segments(pilot.app.console)
            canvas.write(frame)
            terminal.feed(delta(shown, canvas).encode())
            shown = canvas.copy()
            all_of_it = Emulator(120, 40)
            all_of_it.feed(frame.encode())
            assert seen(terminal) == seen(all_of_it)

        show()
        for key in ("up", "2", "question_mark", "escape", "0", "T", "escape", "slash", "a", "escape"):
            await press(pilot, key)
            show()
        feed_of(pilot).play(4)
        await play(pilot)
        show()


def test_what_is_not_about_cells() -> None:
    """Modes, titles and the clipboard are handed on in order, and draw nothing."""
    canvas = Canvas(10, 2)
    others = ["\x1b[?1049h", "\x1b]52;c;YQ==\x07", "\x07", "\x1b[?2026$p", "\x1b[>1u"]
    assert canvas.write("\x1b[1;1Hab".join(others) + "\n") == others
    assert canvas.text[0][:2] == ["a", "b"]
    assert canvas.text[1] == [" "] * 10


def test_the_size_changes() -> None:
    """What still fits stays; what is written past an edge is cut."""
    canvas = Canvas(4, 1)
    canvas.write("\x1b[1;1Habcdef\x1b[9;1Hx")
    canvas.resize(6, 2)
    assert canvas.text == [[*"abcd  "], [" "] * 6]
    canvas.resize(2, 1)
    assert canvas.text == [["a", "b"]]


async def test_bytes_of_an_update() -> None:
    """Four updates a second, while three tables take a hundred events a second, fit in 20 KiB."""
    async with running() as pilot:
        canvas, shown, sizes = Canvas(120, 40), None, []
        for turn in range(9):
            canvas.write(pilot.app.screen._compositor.render_full_update().render_segments(pilot.app.console))
            sizes.append(len(delta(shown, canvas).encode()))
            shown = canvas.copy()

            def more(feed: object, turn: int = turn) -> None:
                mine = feed_of(pilot)
                mine.events({"runqslower": 9, "execsnoop": 8, "unlinksnoop": 8})
                if turn % 4 == 3:
                    mine.stats()

            await play(pilot, more)
        assert sum(sizes[1:]) / len(sizes[1:]) < 20 * 1024 / 4, sizes
