"""Where the locale names no UTF-8: only ASCII is shown, and every value can still be told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ringtop.tui.text.text import clip, only_ascii, original, safe, visible


@pytest.fixture
def plain() -> Iterator[None]:
    only_ascii()
    yield
    only_ascii(False)


@pytest.mark.parametrize("value", ["naïve", "é\u0301\u0301", "日本", "😀", "a\u0301", "\u009b31m", "plain \\ text"])
def test_only_ascii_is_shown(plain: None, value: str) -> None:
    shown = visible(value.encode())
    assert shown.isascii()
    assert shown.isprintable()
    assert original(shown) == value.encode()
    assert safe(value).isascii()


def test_what_is_cut_off_is_marked_in_ascii(plain: None) -> None:
    assert clip("a long path", 5) == "a lo~"


def test_elsewhere_letters_stay(plain: None) -> None:
    only_ascii(False)
    assert visible("naïve a\u0301".encode()) == "naïve a\u0301"
    assert clip("a long path", 5) == "a lo…"
