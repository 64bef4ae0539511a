"""Patterns of a filter: the fast way to search gives the same answer, and hostile text does not hold it up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.filter.regex import PatternError, compile_pattern, searcher

_PIECES = ["a", "b", "ab", "[ab]", "[.*]", r"\.", r"\.*", "^", "$", r"\b", "(a)", "(?:ab)", "(?=b)", "(?<=a)", "a{2}"]
_PIECES += ["(a|ab)", "a?", "b+", r"\1", "(?i)", "(a.*b)", ".", ".+", ".*+", "é", "|"]
_JOINTS = [".*", ".*?", "", "", ".*.*"]


@given(st.lists(st.sampled_from(_PIECES + _JOINTS * 4), max_size=8), st.lists(st.text("aabB.*é \n", max_size=12)))
def test_the_fast_search_agrees_with_the_plain_one(pieces: list[str], texts: list[str]) -> None:
    try:
        pattern = compile_pattern("".join(pieces))
    except PatternError:
        return
    for text in texts:
        raw = text.encode()
        assert (searcher(pattern)(raw) is not None) == (pattern.search(raw) is not None), (pattern.pattern, raw)


@pytest.mark.parametrize("pattern", ["a.*b.*c", "^a.*b", "a.*b.*c.*d.*e", "/tmp/.*foo.*bar"])
def test_plain_parts_are_searched_in_one_pass(pattern: str) -> None:
    compiled = compile_pattern(pattern)
    search = searcher(compiled)
    assert search != compiled.search
    for text in (b"a" * 12_000, b"ab" * 6_000, b"/tmp/" * 2_000, b"/tmp/foo" * 1_500):
        search(text)  # takes hours where every place is tried


@pytest.mark.parametrize(
    "pattern", ["(a+)+b", "(a*)*", "(?:a|b)+", "(a?){50}a{50}", "((a{0,9}){0,9}){0,9}", "(?#[)(a+)+(?#])", "a?" * 60]
)
def test_what_could_take_forever_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError, match="hostile"):
        compile_pattern(pattern)


@pytest.mark.parametrize("pattern", ["a{99999999999}", "(", "[", "*", "\\", "(?P<a>x)(?P<a>y)", "(?<=a*)b", "(" * 120])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError, match="bad pattern"):
        compile_pattern(pattern)
