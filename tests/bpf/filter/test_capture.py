"""Capture filters: what the kernel checks keeps exactly the events that the filter is true for."""

from __future__ import annotations

import re
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.schema import EXECSNOOP, RUNQSLOWER, UNKNOWN, UNLINKSNOOP
from ringtop.bpf.filter import match, parse
from ringtop.bpf.filter.capture import CAPTURE, FIELDS, KEEP_ALL, KNOWN, RANGES, Range, compile_capture
from ringtop.bpf.filter.expr import And, Compare, FilterError, Not, Or, Position, mentions
from tests.bpf.filter.filters import Pair, pairs, terms
from tests.samples import batches, make


def kept(packed: bytes, batch: Batch) -> list[bool]:
    """What ``passes()`` of include/emit.h says of each event, from the words it reads."""
    words = struct.unpack("<Q28q16sQ", packed)
    active, comm, comm_not = words[0], words[29], words[30]
    out = []
    for row, name in zip(batch.rows, batch.text("comm"), strict=True):
        passes = True
        places = (("latency", "ran"), ("pid",), ("tid",), ("ppid",), ("uid",), ("ret", "status"), ("cpu",))
        for i, fields in enumerate(places):
            lo, hi, not_lo, not_hi = words[1 + 4 * i : 5 + 4 * i]
            value = next((int(row[field]) for field in fields if field in (batch.rows.dtype.names or ())), 0)
            if active & 1 << i and (value < lo or value > hi or (not_lo <= value <= not_hi)):
                passes = False
        if active & 1 << 7 and (name.ljust(16, b"\0") == comm) == bool(comm_not):
            passes = False
        out.append(passes)
    return out


_NAMES = [*FIELDS, "comm", "program"]


@given(pairs(_NAMES), batches())
def test_the_kernel_keeps_what_the_filter_matches(pair: Pair, batch: Batch) -> None:
    expr, text = pair
    try:
        capture = compile_capture(expr, batch.schema)
    except FilterError as e:
        assert "display filter" in e.message or "15 bytes" in e.message
        return
    assert kept(capture.pack(), batch) == match(expr, batch).tolist(), text


@st.composite
def _conjunctions(draw: st.DrawFn) -> Pair:
    """At most one term a field, joined by and, some of it through De Morgan: the kernel can check all of these."""
    names = draw(st.lists(st.sampled_from(_NAMES), min_size=1, unique=True))
    found = [draw(terms([name]).filter(lambda p: "~" not in p[1])) for name in names]
    kept = draw(st.integers(0, len(found)))
    parts = [f"({t})" for _, t in found[:kept]]
    if found[kept:]:
        parts.append("not (" + " or ".join(t for _, t in found[kept:]) + ")")
    text = " and ".join(parts)
    return parse(text), text


@given(_conjunctions(), batches())
def test_a_term_for_each_field_always_compiles(pair: Pair, batch: Batch) -> None:
    expr, text = pair
    assert kept(compile_capture(expr, batch.schema).pack(), batch) == match(expr, batch).tolist(), text


@given(st.sampled_from(["pid", "uid", "ret", "cpu"]), st.lists(st.tuples(st.booleans(), st.integers(-2, 9))), st.data())
def test_ranges_of_one_field(name: str, bounds: list[tuple[bool, int]], data: st.DataObject) -> None:
    """Any set of small numbers, said by or and and: compiled when it is one range with one hole, refused otherwise."""
    text = " or ".join(f"{name}={n}" for _, n in bounds) or f"{name}=0"
    text = " and ".join([f"({text})", *(f"{name}!={n}" for out, n in bounds if out)])
    batch = make("execsnoop", [{name: n} for n in range(-9 if name == "ret" else 0, 12)])
    expr = parse(text)
    wanted = match(expr, batch).tolist()
    runs = sum(now and not before for before, now in zip([False, *wanted], wanted, strict=False))
    if runs > 2:
        with pytest.raises(FilterError):
            compile_capture(expr, EXECSNOOP)
    else:
        assert kept(compile_capture(expr, EXECSNOOP).pack(), batch) == wanted


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("pid=1 and path~x", 10, "cannot check path"),
        ("comm~x", 0, "pattern"),
        ("cgroup=1", 0, "cgroup"),
        ("pid=1 or uid=1", 6, "'or' between different fields"),
        ("not (pid=1 and comm=x)", 11, "'or' between different fields"),
        ("comm=a or pid=1", 7, "'or' between different fields"),
        ("pid!=1 and pid!=3", 11, "more than two ranges of pid"),
        ("comm!=a and comm!=b", 12, "more than one comm"),
        ("comm=a or comm=b", 10, "more than one comm"),
        ("op=rmdir", 0, "op"),
    ],
)
def test_what_the_kernel_cannot_check_is_refused_there(text: str, column: int, says: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile_capture(parse(text), UNLINKSNOOP)
    assert caught.value.column == column
    assert says in caught.value.message
    assert "--filter" in caught.value.message
    assert caught.value.text == text


def test_what_a_program_cannot_have_is_decided_before_the_kernel() -> None:
    assert compile_capture(parse("program=execsnoop or pid=1"), EXECSNOOP) == KEEP_ALL
    assert compile_capture(parse("not preempted"), EXECSNOOP) == KEEP_ALL
    assert compile_capture(parse("latency>10ms or ret!=0"), EXECSNOOP) == compile_capture(parse("ret!=0"), EXECSNOOP)
    keeps_nothing = compile_capture(parse("program=runqslower and path~x"), EXECSNOOP)
    assert kept(keeps_nothing.pack(), make("execsnoop", [{}, {"pid": 3}])) == [False, False]


@pytest.mark.parametrize(
    "text", ["pid=1 and pid=2", "comm=a and comm=b", "comm=a and comm!=a", "latency<0", "cpu>0xffffffff"]
)
def test_contradictions_keep_nothing(text: str) -> None:
    expr = parse(text)
    events = make("runqslower", [{"comm": b"a", "pid": 1}, {"comm": b"b", "pid": 2, "latency": 5}])
    assert kept(compile_capture(expr, RUNQSLOWER).pack(), events) == [False, False]


def test_no_wait_is_long_enough_for_a_contradiction() -> None:
    """runqslower looks at the shortest wait alone before it gathers the rest."""
    assert compile_capture(parse("uid=1 and uid=2"), RUNQSLOWER).ranges[0].lo == (1 << 63) - 1


def test_a_hook_that_does_not_know_a_field() -> None:
    with pytest.raises(FilterError) as caught:
        compile_capture(parse("uid=0 and pid=1"), EXECSNOOP, KNOWN - {"pid"})
    assert caught.value.column == 10
    assert "does not know pid" in caught.value.message
    compile_capture(parse("uid=0"), EXECSNOOP, KNOWN - {"pid"})
    compile_capture(parse("not ret=0"), RUNQSLOWER, KNOWN - {"ret"})


def test_a_long_comm_is_refused() -> None:
    with pytest.raises(FilterError, match="15 bytes"):
        compile_capture(Compare("comm", "=", b"a" * 16, Position("comm=…", 0)), EXECSNOOP)
    capture = compile_capture(parse("comm=" + "a" * 15), EXECSNOOP)
    assert kept(capture.pack(), make("execsnoop", [{"comm": b"a" * 15}, {"comm": b"a" * 14}])) == [True, False]


def test_ids_that_are_not_known() -> None:
    events = make("execsnoop", [{"ppid": UNKNOWN}, {"ppid": 4}])
    for text, found in (("ppid>1", [False, True]), ("ppid=unknown", [True, False]), ("not ppid>1", [True, False])):
        assert kept(compile_capture(parse(text), EXECSNOOP).pack(), events) == found, text


def test_ranges_as_the_kernel_reads_them() -> None:
    capture = compile_capture(parse("latency>=10ms and pid!=7 and pid!=8"), RUNQSLOWER)
    assert capture.active == 0b11
    assert capture.ranges[0] == Range(lo=10_000_000)
    assert capture.ranges[1] == Range(not_lo=7, not_hi=8)
    assert compile_capture(parse(""), RUNQSLOWER) == KEEP_ALL


def test_the_layout_is_the_kernels() -> None:
    source = (Path(__file__).parents[3] / "bpf/include/ringtop.h").read_text()
    order = re.search(r"enum \{ (RANGE_\w+(?:, RANGE_\w+)*), RANGES \}", source)
    assert order
    assert [name.removeprefix("RANGE_").lower() for name in order[1].split(", ")] == [
        next(iter(names)) for names in RANGES
    ]
    struct_text = re.search(r"struct capture \{(.*?)\n\};", source, re.DOTALL)
    assert struct_text
    assert re.findall(r"(\w+)(?:\[\w+\])?;", struct_text[1]) == list(CAPTURE.names or ())
    assert CAPTURE.itemsize == len(KEEP_ALL.pack()) == 8 + 7 * 4 * 8 + 16 + 8


def test_mentions() -> None:
    expr = Not(Or((Compare("pid", "=", 1), And((Compare("comm", "=", b"x"),)))))
    assert mentions(expr, "comm")
    assert not mentions(expr, "uid")


_SMALL = st.integers(-4, 4)


@given(_SMALL, _SMALL, _SMALL, _SMALL, _SMALL, _SMALL)
def test_what_may_pass_is_what_some_value_does(lo: int, hi: int, not_lo: int, not_hi: int, low: int, high: int) -> None:
    ranges = [*KEEP_ALL.ranges]
    ranges[5] = Range(lo, hi, not_lo, not_hi)
    capture = replace(KEEP_ALL, ranges=tuple(ranges))
    passing = [value for value in range(low, high + 1) if lo <= value <= hi and not not_lo <= value <= not_hi]
    assert capture.may_pass("ret", low, high) == bool(passing)
    assert KEEP_ALL.may_pass("ret", low, high) == (low <= high)
