"""The histogram of all waits in the room there is: no wait is left out, and bars are as long as their counts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.event.waits import BUCKETS
from ringtop.bpf.stream import Waits
from ringtop.tui.draw.waits import pane, said
from ringtop.tui.text.glyphs import ASCII, UNICODE

WAITS = st.builds(Waits, st.integers(0, 10**9), st.lists(st.integers(0, 10**9), max_size=BUCKETS))


def texts(waits: Waits, width: int, height: int) -> list[str]:
    """The lines as plain text."""
    return ["".join(text for text, _ in row) for row in pane(waits, 10_000, width, height, ASCII)]


@given(
    WAITS, st.none() | st.integers(0, 10**9), st.integers(1, 80), st.integers(0, 50), st.sampled_from([ASCII, UNICODE])
)
def test_it_fits(waits: Waits, min_us: int | None, width: int, height: int, glyphs: object) -> None:
    rows = pane(waits, min_us, width, height, glyphs)  # type: ignore[arg-type]
    assert len(rows) <= height
    for row in rows:
        text = "".join(part for part, _ in row)
        assert len(text) <= width
        assert glyphs is UNICODE or text.isascii()


@given(WAITS, st.integers(3, 50))
def test_every_wait_is_in_a_bar(waits: Waits, height: int) -> None:
    bars = texts(waits, 40, height)[2:]
    assert sum(int(bar.split()[2].replace(",", "")) for bar in bars) == sum(waits.counts)


def test_as_it_looks() -> None:
    counts = [0] * BUCKETS
    counts[8 * 8] = 40  # from 16.4 us
    counts[8 * 9 + 3] = 20
    counts[8 * 17 + 2] = 3  # from 10.5 ms
    counts[8 * 18] = 1
    waits = Waits(4, counts)
    assert said(waits, 10_000) == "4 of 64 waits >= 10 ms"
    assert texts(waits, 32, 14) == [
        "4 of 64 waits >= 10 ms",
        "p50 18.4 us  p99 18.9 ms",
        " 16.4 us        40 #############",
        " 32.8 us        20 ######",
        " 65.5 us         0 ",
        "  131 us         0 ",
        "  262 us         0 ",
        "  524 us         0 ",
        " 1.05 ms         0 ",
        " 2.10 ms         0 ",
        " 4.19 ms         0 ",
        " 8.39 ms         3 #",
        " 16.8 ms         1 #",
    ]
    tones = {row[0][0][:8].strip(): row[1][1] for row in pane(waits, 10_000, 32, 14, ASCII)[2:]}
    assert [label for label, tone in tones.items() if tone == "high"] == ["8.39 ms", "16.8 ms"]
    assert texts(waits, 32, 5)[2:] == [
        " 16.4 us        60 #############",
        "  262 us         0 ",
        " 4.19 ms         4 #",
    ]
    assert texts(Waits(0, []), 32, 5) == ["no waits yet"]


def test_the_threshold_is_not_cut_where_a_shorter_count_fits() -> None:
    waits = Waits(6_468, [206_658])
    assert [texts(waits, width, 1)[0] for width in (32, 28, 22)] == [
        "6,468 of 206,658 waits >= 10 ms",
        "6,468 of 206,658 >= 10 ms",
        "6.5k of 207k >= 10 ms",
    ]
