"""Columns, bars, numbers: what is drawn, without drawing it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.draw import columns, fill
from ringtop.tui.draw.parts import Part, fit, fit_sides
from ringtop.tui.model.counters import Cpu, Totals
from ringtop.tui.text import format, glyphs
from ringtop.tui.text.text import safe
from ringtop.tui.widgets import scrollbar
from ringtop.tui.widgets.detail import wrap


@given(st.sampled_from(list(SCHEMAS)), st.integers(8, 300), st.integers(1, 20), st.randoms())
def test_columns_share_the_width_without_overlap(program: str, width: int, count: int, random) -> None:  # type: ignore[no-untyped-def]
    shown = columns.available(program)
    random.shuffle(shown)
    placed = columns.layout(shown[:count], width)
    assert placed
    assert placed[0].x == 0
    for a, b in pairwise(placed):
        assert a.x + a.width + columns.SPACE == b.x
    assert placed[-1].x + placed[-1].width <= width
    if len(placed) > 1:
        assert all(p.width >= p.field.column.least for p in placed)
    if any(p.field.column.weight for p in placed) and len(placed) > 1:
        assert placed[-1].x + placed[-1].width == width


def test_a_long_number_takes_room_from_the_columns_beside_it() -> None:
    placed = columns.layout(columns.chosen("execsnoop"), 79)
    texts = ["12:00:00.000", "4095", "fifteen-letters", "4194304", "4194304", "1234601104", "ENAMETOOLONG", "x" * 99]
    assert [p.field.name for p in placed] == ["time", "cpu", "comm", "pid", "ppid", "uid", "ret", "argv"]
    moved = columns.fit(placed, texts)
    assert all(p.width >= len(text) for p, text in zip(moved[3:-1], texts[3:-1], strict=True))
    assert moved[1].width == 4
    assert moved[-1].x + moved[-1].width == placed[-1].x + placed[-1].width
    assert all(p.width >= 6 for p in (moved[2], moved[-1]))
    assert columns.fit(placed, ["12:00:00.000", "1", "sh", "1", "1", "0", "ok", "x" * 99]) == placed
    assert columns.fit(placed, ["1" * 99] * len(placed)) is placed


@pytest.mark.parametrize("program", list(SCHEMAS))
@pytest.mark.parametrize("width", [39, 59, 79, 119, 199])
def test_default_columns_at_every_size(program: str, width: int) -> None:
    names = [p.field.name for p in columns.layout(columns.chosen(program), width)]
    assert {"time", "comm", "pid"} <= set(names)
    assert {"runqslower": "latency", "execsnoop": "argv", "unlinksnoop": "full", "exitsnoop": "status"}[
        program
    ] in names
    if width >= 79:
        assert names == list(SCHEMAS[program].columns)


def test_chosen_columns_drop_what_is_unknown() -> None:
    assert [c.name for c in columns.chosen("execsnoop", ["pid", "latency", "pid", "argv"])] == ["pid", "argv"]
    assert [c.name for c in columns.chosen("execsnoop", ["latency"])] == list(SCHEMAS["execsnoop"].columns)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0 ns"),
        (999, "999 ns"),
        (1000, "1.00 us"),
        (12_345_678, "12.3 ms"),
        (999_600_000, "1.00 s"),
        (61 * 10**9, "61.0 s"),
    ],
)
def test_durations(ns: int, text: str) -> None:
    assert format.duration(ns) == text


@given(st.integers(0, 10**18))
def test_numbers_fit_their_columns(n: int) -> None:
    assert len(format.short(n)) <= 5
    assert len(format.duration(n)) <= 12
    assert len(format.rate(n / 1000)) <= 5
    assert len(format.percent(n, 10**18)) <= 4


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59, "59s"), (245, "4m05s"), (11_220, "3h07m"), (439_200, "5d02h")]
)
def test_uptime(seconds: int, text: str) -> None:
    assert format.uptime(seconds) == text


@pytest.mark.parametrize(("n", "text"), [(0, "0 B"), (4096, "4 KiB"), (1536 << 10, "1.5 MiB"), (3 << 30, "3 GiB")])
def test_sizes(n: int, text: str) -> None:
    assert format.size(n) == text


def test_times_that_no_calendar_has() -> None:
    assert format.clock(2**70, None) == "--:--:--"


def test_results() -> None:
    ret, status = SCHEMAS["execsnoop"]["ret"], SCHEMAS["exitsnoop"]["status"]
    assert [ret.word(r) for r in (0, -2, -9999, 3)] == ["ok", "ENOENT", "-9999", "3"]
    assert [status.word(r) for r in (0, 3, -9, -37, -33, -99)] == [
        *("0", "3", "SIGKILL", "SIGRTMIN+3", "signal 33", "signal 99")
    ]


@pytest.mark.parametrize("glyph", [glyphs.UNICODE, glyphs.ASCII])
@given(st.floats(0, 2), st.integers(1, 50))
def test_bars_are_as_wide_as_asked(glyph: glyphs.Glyphs, part: float, width: int) -> None:
    assert len(glyph.fill(part, width)) == width
    assert sum(len(t) for t, _ in fill.bar(part, part * 1.5, width, glyph)) == width
    if part > 0:
        assert glyph.fill(part, width)[0] != glyph.bar_empty
    if part >= 1:
        assert glyph.fill(part, width) == glyph.bar[0] * width


def test_sparkline_shows_the_last_values_and_anything_above_nothing() -> None:
    line = glyphs.UNICODE.line([9, 0, 0.001, 4, 8], 4)
    assert line == " ▁▄█"
    assert glyphs.ASCII.line([1], 3).isascii()


def test_no_glyph_of_the_ascii_set_needs_more() -> None:
    for name in glyphs.ASCII.__slots__:
        value = getattr(glyphs.ASCII, name)
        assert value is True or value.isascii()


@pytest.mark.parametrize(
    ("env", "ascii_only"),
    [
        ({}, False),
        ({"LANG": "de_DE.UTF-8"}, False),
        ({"LANG": "C"}, True),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, True),
        ({"LC_ALL": "POSIX", "LANG": "de_DE.UTF-8"}, True),
        ({"LANG": "de_DE.ISO-8859-1"}, True),
        ({"LC_ALL": "en_US.utf8", "LANG": "C"}, False),
        ({"LANG": "de_DE.UTF-8", "TERM": "xterm"}, False),
        ({"LANG": "de_DE.UTF-8", "TERM": "linux"}, True),
    ],
)
def test_ascii_where_the_locale_or_the_console_has_nothing_else(env: dict[str, str], ascii_only: bool) -> None:
    assert glyphs.choose(False, env).ascii is ascii_only
    assert glyphs.choose(True, env).ascii


@pytest.mark.parametrize(
    ("cpus", "width", "height", "mode"),
    [(2, 33, 10, "bars"), (8, 33, 10, "bars"), (64, 33, 11, "grid"), (256, 33, 11, "heat"), (256, 53, 36, "grid")],
)
def test_many_cpus_change_the_way_they_are_drawn(cpus: int, width: int, height: int, mode: str) -> None:
    assert fill.mode(cpus, width, height) == mode


@given(
    st.integers(1, 300),
    st.integers(10, 80),
    st.integers(1, 40),
    st.sampled_from(["ringbuf", "perfbuf"]),
    st.sampled_from([glyphs.UNICODE, glyphs.ASCII]),
)
def test_buffer_pane_stays_inside_and_shows_every_cpu(
    count: int, width: int, height: int, transport: str, glyph: glyphs.Glyphs
) -> None:
    cpus = tuple(Cpu(c, fill=c * 10, peak=c * 20, dropped=c % 3) for c in range(count))
    totals = Totals(fill=sum(c.fill for c in cpus), capacity=1 << 20, transport=transport, cpus=cpus)
    rows = fill.pane(totals, 1 << 20, width, height, glyph)
    assert len(rows) <= height
    assert all(sum(len(t) for t, _ in row) <= width for row in rows)
    if height >= 14 and width >= 33 and count <= 256:
        drawn = "\n".join("".join(t for t, _ in row) for row in rows)
        how = fill.mode(count, width, height - 2)
        if how == "heat":
            assert sum(len(t) for row in rows[1:-1] for t, _ in row[1:]) in (count, -(-count // 2))
        else:
            assert str(count - 1) in drawn


def test_scroll_bar_reaches_both_ends() -> None:
    assert scrollbar.thumb(0, 10, 5) == range(0)
    assert scrollbar.thumb(0, 10, 100) == range(1)
    assert scrollbar.thumb(90, 10, 100) == range(9, 10)
    assert scrollbar.position(0, 10, 100) == 0
    assert scrollbar.position(9, 10, 100) == 90
    assert scrollbar.position(3, 10, 5) == 0


def test_parts_go_by_rank_and_with_what_they_are_joined_to() -> None:
    parts = [Part("a" * 5, rank=0), Part("b" * 5, rank=3), Part("c" * 5, rank=3, joined=True), Part("d" * 5, rank=1)]
    assert [p.text[0] for p in fit(parts, 24)] == ["a", "b", "c", "d"]
    assert [p.text[0] for p in fit(parts, 23)] == ["a", "d"]
    assert [p.text[0] for p in fit(parts, 3)] == ["a"]


def test_less_of_a_part_stays_where_there_is_no_room_for_all() -> None:
    parts = [Part("a" * 5, rank=1), Part("b" * 9, rank=4, less=Part("b", rank=0)), Part("c" * 5, rank=2)]
    assert [p.text for p in fit(parts, 23)] == ["aaaaa", "bbbbbbbbb", "ccccc"]
    assert [p.text for p in fit(parts, 22)] == ["aaaaa", "b", "ccccc"]
    assert [p.text for p in fit(parts, 9)] == ["aaaaa", "b"]


def test_both_sides_share_the_width_by_rank() -> None:
    left, right = [Part("a" * 5, rank=0), Part("b" * 9, rank=4)], [Part("c" * 5, rank=5), Part("d" * 5, rank=2)]

    def fitted(width: int) -> list[list[str]]:
        return [[p.text[0] for p in side] for side in fit_sides(left, right, width)]

    assert fitted(30) == [["a", "b"], ["c", "d"]]
    assert fitted(29) == [["a", "b"], ["d"]]
    assert fitted(22) == [["a"], ["d"]]
    assert fitted(11) == [["a"], []]


def test_text_of_the_stream_is_made_safe() -> None:
    assert "\x1b" not in safe("evil\x1b[2J\udcff")


PAIRS = st.tuples(st.text("ab", min_size=1, max_size=5), st.text("xyz日", max_size=90))


@given(st.lists(PAIRS, max_size=9), st.integers(12, 80))
def test_detail_wraps_and_loses_nothing(pairs: list[tuple[str, str]], width: int) -> None:
    lines = wrap(pairs, width)
    assert "".join(t for line in lines for _, t in line) == "".join(t for _, t in pairs)
