"""Patterns of a filter find what Python's engine finds, hostile text does not hold them up, and errors have a place."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringtop.bpf.filter.regex import MAX_MEMORY, PatternError, compile_pattern

# Written alike for both engines, and ours with what Python writes for it.
_SAME = ["a", "b", "ab", "[ab]", "[^a]", "[.*]", r"\.", "^", r"\b", "(a)", "(?:ab)", "(?P<n>b)", "(a|ab)", "(?i:aB)"]
_SAME += [".", ".*", ".*?", "a?", "b+", "(?:ab)*", "(?:a|b)+?", "a{2}", "(?:a.?){1,3}", r"\n", r"[^\n]", r"\w", r"\D"]
_SAME += ["é", "|", r"\A", r"\x00", r"\xff", r"[\x80-\xff]", "(?m:^)", "(?m:$)", "(?m:^a$)"]
_OTHERS = {
    "$": r"\Z",
    r"\z": r"\Z",
    r"\B": r"(?!\b)",  # before 3.14, Python does not find \B in an empty text
    r"\C": r"[\s\S]",
    r"\Qa.b\E": r"a\.b",
    "(?-s:.)": r"[^\n]",
    "(?-m:^b)": r"\Ab",
    r"\s": r"[\t\n\f\r ]",
}
_PIECES = st.sampled_from([*((p, p) for p in _SAME), *_OTHERS.items()])
_VALUES = st.lists(st.text("aabbB.é \n", max_size=12).map(str.encode) | st.binary(max_size=6), max_size=8)


@given(st.lists(_PIECES, max_size=6), _VALUES)
@example([("", "")], [])
@example([("a$", r"a\Z")], [b"a\n", b"ba", b"", b"a", b"\n", b"a\nb"])
@example([(r"\Aa", r"\Aa")], [b"b", b"a", b"a"])
@example([(r"a\z", r"a\Z")], [b"a", b"a", b"b"])
@example([(r"a\Cb", r"a[\s\S]b")], [b"a", b"b", b"axb"])
@example([(r"\Qa.b", r"a\.b")], [b"a.b", b"axb"])
@example([("(?-s:a.b)", "a[^\n]b")], [b"a", b"b", b"axb"])
@example([("(?-m)a$", r"a\Z")], [b"a", b"a", b"b"])
def test_every_value_is_found_that_pythons_engine_finds(pieces: list[tuple[str, str]], values: list[bytes]) -> None:
    ours, pythons = ("".join(p) for p in zip(*pieces, strict=True)) if pieces else ("", "")
    try:
        oracle = re.compile(pythons.encode(), re.DOTALL)
    except re.error:  # such as one name for two groups
        return
    found = compile_pattern(ours).search(values)
    assert found.tolist() == [oracle.search(value) is not None for value in values]


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+b", "(a*)*b", "(?:a|a)+b", "(a?){50}a{50}b", "(x*a*)*b", "a.*a.*a.*a.*a.*b", "(a|aa)+$b", "a?" * 60 + "b"],
)
def test_hostile_text_does_not_hold_a_pattern_up(pattern: str) -> None:
    values = [b"a" * 100_000, b"ab" * 50_000, b"a" * 4_095 + b"\n"] * 3
    compile_pattern(pattern).search(values)  # an engine that goes back takes years


@pytest.mark.slow
def test_the_states_of_a_pattern_take_a_bounded_memory() -> None:
    program = """
import random, resource, sys
from ringtop.bpf.filter.regex import compile_pattern
text = random.Random(1).choices((b"a", b"b"), k=1_000_000)
compile_pattern("a").search([b"".join(text)] * 2)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
compile_pattern("(a|b)*a(a|b){20}$").search([b"".join(text[:500_000])] * 2)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    grown = int(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=100).stdout)
    assert grown * 1024 < 3 * MAX_MEMORY


@pytest.mark.parametrize(
    ("pattern", "position", "said"),
    [
        ("ab[c", 2, "missing ]"),
        ("(é)(b", 3, "missing )"),
        ("ab)", 2, "unexpected )"),
        ("*", 0, "no argument"),
        ("éa*+", 2, "bad repetition"),
        ("ab\\", 2, "trailing"),
        (r"a\\y(\y)", 5, "invalid escape"),
        ("a{1001}", 1, "repetition size"),
        ("a(?=b)", 1, "look-ahead"),
        ("a(?!b)", 1, "look-ahead"),
        ("(?<=a*)b", 0, "look-behind"),
        ("(?<!a)b", 0, "look-behind"),
        (r"(a)\1", 3, "back-references"),
        ("(?P<n>a)(?P=n)", 8, "only"),
        (r"a\Z", 1, r"\z"),
        ("(?x) a", 0, "invalid perl operator"),
        ("a" * 257, 0, "256"),
        ("\ud800", 0, "bad pattern"),
    ],
)
def test_what_is_no_pattern_is_refused_where_it_is_wrong(pattern: str, position: int, said: str) -> None:
    with pytest.raises(PatternError, match=re.escape(said)) as caught:
        compile_pattern(pattern)
    assert caught.value.position == position


def test_the_engine_is_loaded_for_patterns_only() -> None:
    program = """
import sys
from ringtop.bpf.filter import parse
parse("comm=nginx and ret<0")
print("re2" in sys.modules)
parse("comm~nginx")
print("re2" in sys.modules)
"""
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    ).stdout
    assert said.split() == ["False", "True"]
