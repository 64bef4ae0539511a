"""Where the locale names no UTF-8: only ASCII is shown, and every value can still be told."""

from __future__ import annotations

import pytest

from ringtop.tui.text.text import PROGRAMS, Gate
from tests.originals import original

PLAIN = Gate(ascii=True)


@pytest.mark.parametrize("value", ["naïve", "é\u0301\u0301", "日本", "😀", "a\u0301", "\u009b31m", "plain \\ text"])
def test_only_ascii_is_shown(value: str) -> None:
    shown = PLAIN.visible(value.encode())
    assert shown.isascii()
    assert shown.isprintable()
    assert original(shown) == value.encode()
    assert PLAIN.safe(value).isascii()


def test_what_is_cut_off_is_marked_in_ascii() -> None:
    assert PLAIN.clip("a long path", 5) == "a lo~"


def test_elsewhere_letters_stay() -> None:
    assert PROGRAMS.visible("naïve a\u0301".encode()) == "naïve a\u0301"
    assert PROGRAMS.clip("a long path", 5) == "a lo…"
