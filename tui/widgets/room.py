"""Which parts of the main screen there is room for. Pure functions of its width and height in cells."""

from __future__ import annotations

LEAST = (40, 10)
"""The smallest terminal that is drawn, in columns and rows."""
HUGE = 160
"""From this width on, the buffers get more of it."""
WIDE = 110
"""From this width on, the buffers stand beside the tables."""
FULL = 55
"""From this height on, a huge screen has room for the table of all programs, too."""
TALL = 22
"""From this height on, there is room for the selected row, and for a buffer pane below a single table."""
ROOMY = 32
"""From this height on, there is room for a buffer pane below all tables."""
TIGHT = 15
"""From this height on, there is room for the buffer pane when the user asked for it."""
BOTH = 11
"""From this many lines for each table on, there is room for ranked rows and events."""
_FRAME = 3
"""Lines that are always taken: the header, the drops and the keys."""
SHORT = 18
"""Below this height only the table that has or last had the focus shows rows; the others keep their title."""


def classes(width: int, height: int, alone: bool) -> dict[str, bool]:
    """The classes for the style sheet, and whether each applies. *alone*: only one table is shown."""
    return {
        "-short": height < SHORT and not alone,
        "-small": too_small(width, height),
        "-narrow": width < WIDE,
        "-wide": width >= WIDE,
        "-huge": width >= HUGE,
        "-roomy": height >= (TALL if alone else ROOMY),
    }


def too_small(width: int, height: int) -> bool:
    """Whether nothing can be drawn."""
    return width < LEAST[0] or height < LEAST[1]


def refusal(width: int, height: int) -> str:
    """The text on a screen that is too small."""
    return f"{width}x{height} is too small\nringtop needs {LEAST[0]}x{LEAST[1]}"


def for_whole(width: int, height: int) -> bool:
    """Whether the table of all programs fits below the others."""
    return width >= HUGE and height >= FULL


def for_both(height: int, tables: int) -> bool:
    """Whether ranked rows and events fit in each of *tables*. What else may stand on the screen does not count: the
    fields of the selected event come and go with the events."""
    return (height - _FRAME) // tables >= BOTH


def for_buffers(width: int, height: int) -> bool:
    """Whether the whole buffer pane fits when the user asks for it."""
    return width >= WIDE or height >= TIGHT


def for_detail(height: int) -> bool:
    """Whether the selected row fits below the tables."""
    return height >= TALL
