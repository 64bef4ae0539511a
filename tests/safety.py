"""What must never reach a terminal, written apart from the code on purpose."""

from __future__ import annotations

import unicodedata

_BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ZERO_WIDTH = set("\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u180e\u115f\u1160\u3164\uffa0\u2800\u2028\u2029")
_BAD_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mc", "Me"}
_ranges = [(0xFE00, 0xFE0F), (0xE0000, 0xE0FFF), (0x1F1E6, 0x1F1FF), (0x1F3FB, 0x1F3FF), (0x1160, 0x11FF)]
FORBIDDEN = _BIDI | _ZERO_WIDTH | {chr(c) for low, high in _ranges for c in range(low, high + 1)}


def assert_safe(shown: str) -> None:
    """Nothing in *shown* moves, hides, colours, reorders or joins."""
    for char in set(shown):
        assert char not in FORBIDDEN, f"{ord(char):#x}"
        assert unicodedata.category(char) not in _BAD_CATEGORIES, f"{ord(char):#x}"
        assert ord(char) >= 0x20
        assert not 0x7F <= ord(char) < 0xA0
        assert char == " " or unicodedata.category(char) != "Zs"
