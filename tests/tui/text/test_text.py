"""Untrusted bytes made visible: nothing that moves, hides or colours gets through, and nothing is lost."""

from __future__ import annotations

import os
import subprocess
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len, get_character_cell_size

from ringtop.bpf.event.args import split_args
from ringtop.tui.text.shell import shell_line
from ringtop.tui.text.text import MARKS, clip, safe, visible, width
from tests.originals import original, shell_args
from tests.safety import FORBIDDEN, assert_safe
from tests.samples import NASTY, comms, texts


def anything() -> st.SearchStrategy[bytes]:
    hostile = st.text(st.sampled_from([*sorted(FORBIDDEN), *"a\\x\u0301\u05b0é日 "])).map(str.encode)
    unicode = st.text().map(lambda t: t.encode("utf-8", "ignore"))
    return st.one_of(texts(), st.binary(), unicode, hostile)


@given(anything())
def test_what_is_shown_is_safe(raw: bytes) -> None:
    assert_safe(visible(raw))


@pytest.mark.slow
def test_no_character_of_unicode_gets_through_unsafe() -> None:
    for first in range(0, 0x110000, 0x800):
        if first != 0xD800:  # the surrogates
            assert_safe(visible("".join(f"a{chr(code)}" for code in range(first, first + 0x800)).encode()))


@given(anything())
def test_the_bytes_can_be_found_again(raw: bytes) -> None:
    assert original(visible(raw)) == raw


@given(anything(), anything())
def test_two_values_never_look_alike(one: bytes, other: bytes) -> None:
    assert (visible(one) == visible(other)) == (one == other)


@given(anything())
def test_the_width_is_the_sum_of_its_characters(raw: bytes) -> None:
    shown = visible(raw)
    assert width(shown) == cell_len(shown) == sum(map(get_character_cell_size, shown))


@given(anything())
def test_marks_sit_on_letters_and_do_not_pile_up(raw: bytes) -> None:
    room = 0
    for char in visible(raw):
        if unicodedata.category(char) == "Mn":
            room -= 1
            assert room >= 0
        else:
            room = MARKS if char.isalpha() else 0


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"nginx", "nginx"),
        (b"/tmp/a b", "/tmp/a b"),
        (b"\x1b[31m", r"\x1b[31m"),
        (b"a\nb\r\t\x00\x7f", r"a\nb\r\t\x00\x7f"),
        (b"\xff", r"\xff"),
        (b"\xc2\x85", r"\u0085"),
        (b"\\x1b", r"\\x1b"),
        ("\u202eé日".encode(), r"\u202eé日"),
        ("e\u0301\u0301\u0301\u0301".encode(), "e\u0301\u0301\u0301" + r"\u0301"),
        ("\u0301".encode(), r"\u0301"),
        ("\x1b\u0301".encode(), r"\x1b\u0301"),
        ("\U000e0041".encode(), r"\U000e0041"),
        ("\u00a0\u3000".encode(), r"\u00a0\u3000"),
        (b"[red]x[/]", "[red]x[/]"),
    ],
)
def test_examples(raw: bytes, shown: str) -> None:
    assert visible(raw) == shown


@given(st.lists(anything(), max_size=5))
def test_arguments_on_one_line_are_safe_and_found_again(args: list[bytes]) -> None:
    line = shell_line(args)
    assert_safe(line)
    assert shell_args(line) == args


@pytest.mark.parametrize(
    ("args", "line"),
    [
        ([], ""),
        ([b""], "''"),
        ([b"ls", b"-l", b"a b", b""], "ls -l 'a b' ''"),
        ([b"echo", b"it's"], 'echo "it\'s"'),
        ([b"sed", rb"s/\./x/"], r"sed 's/\./x/'"),
        ([b"sh", b"-c", b"echo '$x'"], r"sh -c $'echo \'$x\''"),
        ([b"\x1b'\\"], r"$'\x1b\'\\'"),
        (["é=日".encode()], "é=日"),
        ([b"*", b"~", b"#x"], "'*' '~' '#x'"),
    ],
)
def test_arguments_read_as_typed(args: list[bytes], line: str) -> None:
    assert shell_line(args) == line


def test_a_real_shell_reads_the_same_arguments() -> None:
    args = [*NASTY, b"", b"a b", b"it's", b'"', b"$HOME", rb"\n", b"!x", b"*"]
    told = subprocess.run(
        ["bash", "-c", "printf '%s\\0' " + shell_line(args)],
        capture_output=True,
        check=True,
        env=os.environ | {"LC_ALL": "C.UTF-8"},
    )
    assert split_args(told.stdout, len(args)) == args


@given(anything(), st.integers(0, 30))
def test_clipping(raw: bytes, cells: int) -> None:
    shown = visible(raw)
    clipped = clip(shown, cells)
    assert width(clipped) <= cells
    if width(shown) <= cells:
        assert clipped == shown
    elif cells:
        assert clipped.endswith("…")
        assert shown.startswith(clipped[:-1])
        assert width(clipped) >= cells - 1


@given(st.lists(comms(), min_size=1, max_size=20))
def test_remembered_texts_are_those_of_their_bytes(names: list[bytes]) -> None:
    assert [original(visible(n)) for n in names * 2] == names * 2


@given(st.one_of(st.text(st.characters()), anything().map(lambda raw: raw.decode("utf-8", "surrogateescape"))))
def test_what_is_said_is_safe_and_stays_so(said: str) -> None:
    shown = safe(said)
    assert_safe(shown)
    assert width(shown) == cell_len(shown)
    assert safe(shown) == shown
    if "\\" not in said and said.isprintable() and said.isascii():
        assert shown == said
