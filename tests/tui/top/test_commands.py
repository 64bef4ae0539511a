"""Keys of commands for whole batches: the same as for one, without looking at each."""

from __future__ import annotations

from collections.abc import Sequence
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.event.command.command import command
from ringtop.tui.top import commands
from ringtop.tui.top.commands import LEVELS, Commands, Kinds
from ringtop.tui.top.events import Events, Known
from ringtop.tui.top.hashing import Hasher, hashes
from ringtop.tui.top.names import Comms
from tests.samples import make, texts

WORDS = st.sampled_from(
    [
        b"-a",
        b"-b",
        b"-a=1",
        b"--",
        b"-",
        b"",
        b"x",
        b"-j4",
        b"-j8",
        b"-DA",
        b"-DB=1",
        b"-c",
        b"add",
        b"-C",
        b"cd /a; foo",
        b"script.py",
    ]
)
FILES = st.sampled_from(
    [b"/bin/sh", b"/bin/ls", b"gcc", b"/usr/bin/git", b"/bin/env", b"/proc/self/fd/3", b"/x/script.py", b""]
)
LINES = st.tuples(FILES | texts(), st.lists(WORDS | FILES | texts(), max_size=6))
Line = tuple[bytes, Sequence[bytes]]


def known() -> Known:
    """With nothing known."""
    hasher = Hasher(b"seed")
    return Known(hasher, Comms(None), Commands(hasher))


def kinds(lines: Sequence[Line], what: Known) -> Kinds:
    """Of a batch."""
    return Events(make("execsnoop", [{"filename": file, "argv": args} for file, args in lines]), what).kinds


@given(st.lists(LINES, min_size=1, max_size=12), st.lists(LINES, min_size=1, max_size=12))
def test_a_batch_has_the_keys_that_one_has(first: list[Line], second: list[Line]) -> None:
    what = known()
    for lines in (first, second):
        found = kinds(lines, what)
        for at, (file, args) in enumerate(lines):
            whole = [arg.partition(b"\0")[0] for arg in args]
            assert found.labels[found.of[at]] == command(file, whole).labels()


@given(st.lists(LINES, min_size=2, max_size=12))
def test_equal_labels_have_equal_hashes_and_others_do_not(lines: list[Line]) -> None:
    found = kinds(lines, known())
    for level in range(len(LEVELS)):
        labels = [found.labels[kind][level] for kind in found.of.tolist()]
        keys = hashes(found.sums[found.of, level]).tolist()
        assert len(set(zip(labels, keys, strict=True))) == len(set(labels)) == len(set(keys))


def test_a_line_like_one_before_is_not_looked_at_again() -> None:
    what = known()
    cc = [(b"/usr/bin/cc1", [b"cc1", b"-quiet", b"-DX=%d" % i, b"-Iinc%d" % i, b"file%d.c" % i]) for i in range(500)]
    with mock.patch.object(commands, "command", side_effect=command) as looked:
        kinds(cc, what)
        kinds(cc[::-1], what)
    assert looked.call_count == 1


def test_of_too_many_new_lines_some_are_told_by_their_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "NEW", 3)
    what = known()
    lines = [(b"/bin/cmd", [b"cmd", b"-opt" + bytes([97 + i])]) for i in range(5)]
    labels = [
        labels[2] for labels in (kinds(lines, what).labels[i] for i in kinds(lines[:0] or lines, what).of.tolist())
    ]
    assert set(labels) <= {b"cmd -opt" + bytes([97 + i]) for i in range(5)} | {b"cmd" + commands.UNREAD}
    again = kinds(lines, what)
    assert {again.labels[i][2] for i in again.of.tolist()} == {b"cmd -opt" + bytes([97 + i]) for i in range(5)}


def test_cut_arguments_count_as_far_as_they_are_whole() -> None:
    batch = make("execsnoop", [{"filename": b"/bin/cmd", "argv": b"cmd\0-a\0-lon", "argc": 9, "truncated": 1}])
    found = Events(batch, known()).kinds
    assert found.labels[found.of[0]][2] == b"cmd -a"
