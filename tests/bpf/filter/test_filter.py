"""The filter language: what parses, what it means, and what a wrong filter is told."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf import filter as language
from ringtop.bpf.event.args import join_args, split_args
from ringtop.bpf.event.batch import Batch, concat, empty
from ringtop.bpf.event.schema import EXECSNOOP, RUNQSLOWER, SCHEMAS, UNKNOWN
from ringtop.bpf.filter import ALL, And, Compare, FilterError, Not, Or, complete, fields, match, parse
from ringtop.bpf.filter.regex import compile_pattern
from ringtop.tui.model.completion import quoted
from ringtop.tui.text.say import pointed
from tests.bpf.filter.filters import Pair, holds, pairs
from tests.safety import assert_safe
from tests.samples import batches, make, texts


@given(pairs())
def test_the_text_of_a_tree_parses_to_it(pair: Pair) -> None:
    tree, text = pair
    assert parse(text) == tree


@given(pairs(), batches())
def test_match_agrees_with_the_meaning_row_by_row(pair: Pair, batch: Batch) -> None:
    expr, _ = pair
    assert match(expr, batch).tolist() == [holds(expr, batch, i) for i in range(len(batch))]


@given(pairs(["path", "comm", "ret", "argv", "filename"], leaves=4), batches("unlinksnoop") | batches("execsnoop"))
def test_terms_on_text_are_joined_like_others(pair: Pair, batch: Batch) -> None:
    expr, _ = pair
    assert match(expr, batch).tolist() == [holds(expr, batch, i) for i in range(len(batch))]


@given(pairs(), st.sampled_from(list(SCHEMAS)), st.data())
def test_a_row_is_matched_the_same_alone_and_among_others(pair: Pair, program: str, data: st.DataObject) -> None:
    expr, _ = pair
    parts = data.draw(st.lists(batches(program, max_size=3), min_size=1, max_size=3))
    together = match(expr, concat(program, parts))
    assert together.tolist() == np.concatenate([match(expr, p) for p in parts]).tolist()


@given(st.text(max_size=60) | st.text("pidcom =!<>~()'\"and or not 01\\", max_size=60))
def test_any_text_parses_or_is_refused_inside_it(text: str) -> None:
    try:
        parse(text)
    except FilterError as e:
        assert 0 <= e.column <= len(text)
        assert e.text == text
        for line in pointed(e).split("\n"):
            assert_safe(line)


@given(pairs(), st.data())
def test_a_broken_filter_never_parses_to_the_same(pair: Pair, data: st.DataObject) -> None:
    tree, text = pair
    cut = data.draw(st.integers(0, len(text) - 1))
    try:
        # 0x0 cut to 0 is still 0, 5.000us cut to 5 is still 5 us, and a flag's name alone asks whether it is true.
        meant_anyhow = r"[\sx0]*|[.0]*[nu]s|\s*==?\s*((0x0*)?1|true)\s*"
        assert parse(text[:cut]) != tree or re.fullmatch(meant_anyhow, text[cut:])
    except FilterError as e:
        assert e.column <= cut


@given(texts())
def test_a_literal_reads_as_its_bytes(raw: bytes) -> None:
    assert parse("path=" + quoted(raw)) == Compare("path", "=", raw)
    assert parse(f"(path={quoted(raw)})and pid=1") == And((Compare("path", "=", raw), Compare("pid", "=", 1)))
    assert_safe(quoted(raw))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", ALL),
        ("  \t", ALL),
        ("latency>500", Compare("latency", ">", 500_000)),
        ("latency>500ns", Compare("latency", ">", 500)),
        ("latency_us >= 1.5", Compare("latency", ">=", 1_500)),
        ("latency<.5ms", Compare("latency", "<", 500_000)),
        ("LATENCY<2s", Compare("latency", "<", 2_000_000_000)),
        ("pid==7", Compare("pid", "=", 7)),
        ("uid=0x10", Compare("uid", "=", 16)),
        ("ret=ENOENT", Compare("ret", "=", -2)),
        ("ret=-enoent", Compare("ret", "=", -2)),
        ("ret!=-2", Compare("ret", "!=", -2)),
        ("dfd=AT_FDCWD", Compare("dfd", "=", -100)),
        ("uid=unknown", Compare("uid", "=", None)),
        ("op=rmdir", Compare("op", "=", 1)),
        ("preempted", Compare("preempted", "=", 1)),
        ("preempted=FALSE", Compare("preempted", "=", 0)),
        ("not truncated", Not(Compare("truncated", "=", 1))),
        ("program=execsnoop", Compare("program", "=", "execsnoop")),
        ("argv~--force=yes", Compare("argv", "~", compile_pattern("--force=yes"))),
        ("comm='a \"b\"'", Compare("comm", "=", b'a "b"')),
        ("comm=and", Compare("comm", "=", b"and")),
        (r'path="\x1b\u202e\\\t"', Compare("path", "=", b"\x1b\xe2\x80\xae\\\t")),
        (r"path=\x1b", Compare("path", "=", b"\\x1b")),
        (r'path~"\x1b\""', Compare("path", "~", compile_pattern(r"\x1b\""))),
        (
            "not pid=1 and pid=2 or pid=3",
            Or((And((Not(Compare("pid", "=", 1)), Compare("pid", "=", 2))), Compare("pid", "=", 3))),
        ),
        ("latency=12.3 ms", Compare("latency", "=", 12_300_000)),
        ("(latency>=1.02 s)and pid=1", And((Compare("latency", ">=", 1_020_000_000), Compare("pid", "=", 1)))),
        ('latency="850 ns"', Compare("latency", "=", 850)),
        ("ret=ok", Compare("ret", "=", 0)),
        ("errno=ENOENT", Compare("ret", "=", -2)),
        ("cgroup=- or uid=null", Or((Compare("cgroup", "=", None), Compare("uid", "=", None)))),
        ("dfd=cwd", Compare("dfd", "=", -100)),
        ("preempted=woken", Compare("preempted", "=", 0)),
        ("truncated=yes", Compare("truncated", "=", 1)),
        ("not(pid=1)", Not(Compare("pid", "=", 1))),
    ],
)
def test_spelling(text: str, tree: language.Expr) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("pidd=1", 0, "did you mean 'pid'"),
        ("time>3", 0, "ts_ns"),
        ("pid", 3, "operator is missing"),
        ("pid=1 and", 9, "comparison is missing"),
        ("pid=", 4, "value is missing"),
        ("pid~1", 3, "pid does not take '~'"),
        ("comm>a", 4, "comm does not take '>'"),
        ("pid=1 uid=0", 6, "'and' or 'or'"),
        ("pid=1 && uid=0", 6, "'and'"),
        ("pid=1 || uid=0", 6, "'or'"),
        ("!pid=1", 0, "'not'"),
        ("(pid=1", 0, "not closed"),
        ("(pid=1 uid=0)", 7, "or ')'"),
        ("pid=1)", 5, "no '('"),
        ("path='/tmp", 5, "quote is not closed"),
        ("path~(a|b)", 5, "quotes"),
        ("path~'a['", 7, "missing ]"),
        ("path~[", 5, "missing ]"),
        ("path~'é['", 7, "missing ]"),
        ("path~'(?x)a b'", 6, "invalid perl operator"),
        ("path~'a(?=b)'", 7, "look-ahead"),
        (f"path~{'a' * 300}", 5, "256"),
        ("path='\\q'", 6, "escape"),
        ("path='\\ud800'", 6, "no such character"),
        ("path='a\\x00'", 5, "NUL"),
        ("pid=x", 4, "number"),
        ("pid=9223372036854775808", 4, "too large"),
        ("latency>5m", 8, "unit"),
        ("latency>fast", 8, "duration"),
        ("ret=EACES", 4, "did you mean 'EACCES'"),
        ("op=unlnk", 3, "did you mean 'unlink'"),
        ("program=exec", 8, "did you mean 'execsnoop'"),
        ("preempted=maybe", 10, "true, false"),
        ("uid>unknown", 4, "no order"),
        ("comm=systemd-journald", 5, "15 bytes"),
        ("not " * 40 + "pid=1", 132, "32"),
        ("(" * 1000 + "pid=1" + ")" * 1000, 33, "32"),
        ("a" * 5000, 4096, "4096"),
    ],
)
def test_errors_point_at_the_place_and_say_what_helps(text: str, column: int, says: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert (caught.value.column, says in caught.value.message) == (column, True), caught.value


def test_the_caret_is_below_the_place() -> None:
    with pytest.raises(FilterError) as caught:
        parse("comm=日本 and\tpidd=1")
    _, shown, caret = pointed(caught.value).splitlines()
    assert shown == r"  comm=日本 and\tpidd=1"
    assert caret.index("^") == 2 + len("comm=") + 4 + len(r" and\t")


def test_a_long_filter_is_shown_around_the_place() -> None:
    with pytest.raises(FilterError) as caught:
        parse("pid=1 and " * 50 + "pidd=1" + " and pid=1" * 50)
    _, shown, caret = pointed(caught.value).splitlines()
    assert shown[caret.index("^") :].startswith("pidd=1")
    assert len(shown) <= 80
    assert shown.startswith("  …")
    assert shown.endswith("…")


def test_patterns_that_people_write_are_accepted() -> None:
    for pattern in (r"^/home/[^/]+/\.cache/.*/[0-9]+\.tmp$", r"^(?:\d{1,3}\.){3}\d{1,3}$", "nginx|redis|postgres|sshd"):
        parse(f"path~'{pattern}'")


def test_fields_a_program_lacks() -> None:
    batch = make("execsnoop", [{"pid": 1}])
    for text, found in (("latency>0", False), ("latency!=0", False), ("not latency>0", True), ("path!~x", False)):
        assert match(parse(text), batch).tolist() == [found], text


def test_unknown_ids() -> None:
    batch = make("execsnoop", [{"pid": UNKNOWN, "cgroup": 0}, {"pid": 5, "cgroup": 9}])
    for text, found in (
        ("pid=4294967295", [False, False]),
        ("pid>1", [False, True]),
        ("pid!=5", [True, False]),
        ("pid!=4294967295", [True, True]),
        ("not pid>1", [True, False]),
        ("pid=unknown", [True, False]),
        ("pid!=unknown", [False, True]),
        ("cgroup<10", [False, True]),
        ("cgroup=unknown", [True, False]),
    ):
        assert match(parse(text), batch).tolist() == found, text


def test_arguments_are_searched_joined_by_spaces() -> None:
    batch = make("execsnoop", [{"argv": [b"sh", b"", b"-c"]}, {"argv": b"sh\0-c"}, {"argv": []}])
    assert match(parse("argv='sh  -c'"), batch).tolist() == [True, False, False]
    assert match(parse("argv~'^sh +-c$'"), batch).tolist() == [True, False, False]
    batch.rows["argc"] = 2
    assert match(parse("argv='sh -c'"), batch).tolist() == [False, True, False]


def test_a_newline_does_not_hide_a_path() -> None:
    batch = make("unlinksnoop", [{"path": b"/tmp/a\nb.so"}])
    assert match(parse(r"path~'^/tmp/.*\.so'"), batch).tolist() == [True]


def test_a_full_path_is_found_however_it_was_given() -> None:
    events = [{"path": b"/etc/zz/a"}, {"place": b"/etc/zz/", "path": b"b"}, {"place": b"/", "path": b"etc/c"}]
    batch = make("unlinksnoop", events)
    assert match(parse('full~"^/etc/"'), batch).tolist() == [True, True, True]
    assert match(parse('path~"^/etc/"'), batch).tolist() == [True, False, False]
    assert match(parse("dir=/etc/zz/"), batch).tolist() == [True, True, False]
    assert match(parse("full=/etc/zz/b"), batch).tolist() == [False, True, False]


def test_no_events() -> None:
    for program in SCHEMAS:
        assert match(parse("path~x or pid=1 and not comm=a"), empty(program)).tolist() == []


@given(st.lists(texts(), min_size=1, max_size=5), st.integers(0, 3))
def test_arguments_split_as_they_were_joined(args: list[bytes], more: int) -> None:
    raw = b"".join(a + b"\0" for a in args)
    assert split_args(raw, len(args)) == args
    assert split_args(raw, len(args) + more) == args
    assert split_args(raw + b"PATH=/bin\0", len(args)) == args
    assert join_args(raw, len(args)) == b" ".join(args)
    cut = raw[: len(raw) // 2]
    got = split_args(cut, len(args))
    assert all(a == b for a, b in zip(got[:-1], args, strict=False))
    assert not got or args[len(got) - 1].startswith(got[-1])


def test_fields_of_programs() -> None:
    own = [f.name for f in EXECSNOOP.fields if f.name != "time"]
    assert fields("execsnoop") == ["program", *own, "subcommand", "command"]
    stored = {f.name for s in SCHEMAS.values() for f in s.fields} - {"time"}
    assert set(fields()) == {"program", "dir", "subcommand", "command"} | stored
    assert "latency" in fields(RUNQSLOWER.program)


@pytest.mark.parametrize(
    ("text", "start", "some"),
    [
        ("", 0, ["pid", "not", "latency"]),
        ("lat", 0, ["latency"]),
        ("LAT", 0, ["latency"]),
        ("pid=1 and l", 10, ["latency"]),
        ("(c", 1, ["cpu", "cgroup", "comm"]),
        ("not pre", 4, ["prev_pid", "preempted"]),
        ("comm ", 5, ["=", "!=", "~", "!~"]),
        ("comm!", 4, ["!=", "!~"]),
        ("op=", 3, ["unlink", "rmdir"]),
        ("program=ex", 8, ["execsnoop"]),
        ("preempted=t", 10, ["true"]),
        ("pid=", 4, ["unknown"]),
        ("pid=1 ", 6, ["and", "or"]),
        ("(pid=1 ", 7, ["and", "or", ")"]),
        ("path='a b' o", 11, ["or"]),
    ],
)
def test_completion(text: str, start: int, some: list[str]) -> None:
    at, found = complete(text, len(text))
    assert at == start
    assert set(some) <= set(found)


@pytest.mark.parametrize("text", ["pid=1", "nope=1 and ", "path='a ", "pid>", "pid>12"])
def test_no_completion_where_nothing_fits(text: str) -> None:
    assert complete(text, len(text))[1] == []


@given(pairs(), st.data())
def test_what_completion_offers_can_be_typed_on(pair: Pair, data: st.DataObject) -> None:
    _, text = pair
    cursor = data.draw(st.integers(0, len(text)))
    start, found = complete(text, cursor)
    for candidate in found:
        try:
            parse(text[:start] + candidate)
        except FilterError as e:
            assert e.column >= start or "not closed" in e.message, (candidate, str(e))
