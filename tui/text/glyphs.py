"""The characters that bars, sparklines, rules and marks are drawn with: one set for UTF-8, one for plain ASCII."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ringtop.tui.text.locale import utf8


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of characters. Each is one cell wide."""

    ascii: bool
    rule: str
    bar: str
    """A full cell of a bar, followed by its fractions from small to large."""
    bar_empty: str
    peak: str
    spark: str
    """The levels of a sparkline, from empty to full."""
    heat: str
    """The levels of a heat map, as shades from empty to full."""
    dot: str
    up: str
    down: str
    arrow: str
    ellipsis: str
    gap: str
    caret: str
    separator: str
    filter: str
    play: str
    pause: str

    def fill(self, part: float, width: int) -> str:
        """Return a bar of *width* cells, filled to *part* (0 to 1). Any *part* above 0 is visible."""
        part = min(1.0, max(0.0, part))
        steps = len(self.bar)
        eighths = round(part * width * steps)
        if part > 0:
            eighths = max(1, eighths)
        full, rest = divmod(eighths, steps)
        text = self.bar[0] * full + (self.bar[rest] if rest else "")
        return text + self.bar_empty * (width - len(text))

    def line(self, values: Sequence[float], width: int, top: float = 0) -> str:
        """Return a sparkline of the last *width* of *values*, scaled to the largest of them and *top*."""
        shown = list(values)[-width:]
        scale = max([*shown, top, 1e-9])
        levels = len(self.spark) - 1
        text = "".join(self.spark[0 if v <= 0 else max(1, min(levels, round(v / scale * levels)))] for v in shown)
        return text.ljust(width)


UNICODE = Glyphs(
    ascii=False,
    rule="─",
    bar="█▏▎▍▌▋▊▉",
    bar_empty=" ",
    peak="│",
    spark=" ▁▂▃▄▅▆▇█",
    heat="·░▒▓█",
    dot="●",
    up="▲",
    down="▼",
    arrow="→",
    ellipsis="…",
    gap="╌",
    caret="▲",
    separator="│",
    filter="⚙",
    play="▶",
    pause="‖",
)
ASCII = Glyphs(
    ascii=True,
    rule="-",
    bar="#",
    bar_empty=" ",
    peak="|",
    spark=" .:-=+*#@",
    heat=".:+#@",
    dot="*",
    up="^",
    down="v",
    arrow=">",
    ellipsis="~",
    gap="-",
    caret="^",
    separator="|",
    filter="*",
    play=">",
    pause="=",
)


def choose(ascii_only: bool = False, environ: Mapping[str, str] = os.environ) -> Glyphs:
    """Return ASCII when the user asks for it, when the locale names an encoding other than UTF-8, and on the Linux
    console, whose fonts have no sparklines and few bars; otherwise UNICODE."""
    return ASCII if ascii_only or not utf8(environ) or environ.get("TERM") == "linux" else UNICODE
