"""The histogram of all waits for a CPU, as rows of bars that fit the room there is.

Pure functions that return rows of pieces, as in ``fill``.
"""

from __future__ import annotations

import numpy as np

from ringtop.bpf.event.waits import BUCKETS, EDGES, PER_OCTAVE, by_octave, every_bucket, percentile
from ringtop.bpf.stream import Waits
from ringtop.tui.draw.fill import Lines, Piece
from ringtop.tui.text import format
from ringtop.tui.text.glyphs import Glyphs
from ringtop.tui.text.text import clip

_FROM, _COUNT = 8, 9
_OCTAVES = BUCKETS // PER_OCTAVE


def said(waits: Waits, min_us: int | None) -> str:
    """How many of all waits were reported: '3 of 41,210 waits >= 10 ms'."""
    least = "reported" if min_us is None else f">= {format.threshold(min_us)}"
    return f"{format.count(waits.reported)} of {format.count(sum(waits.counts))} waits {least}"


def _head(waits: Waits, min_us: int | None, width: int, glyphs: Glyphs) -> str:
    """What ``said`` says, as exactly as there is room for; the threshold is the last to be cut."""
    whole = said(waits, min_us)
    counts, _, least = whole.partition(" waits ")
    rough = f"{format.short(waits.reported)} of {format.short(sum(waits.counts))} {least}"
    forms = (whole, f"{counts} {least}", rough)
    return next((form for form in forms if len(form) <= width), clip(rough, width, glyphs.ellipsis))


def pane(waits: Waits, min_us: int | None, width: int, height: int, glyphs: Glyphs) -> Lines:
    """The whole pane: what was reported, the percentiles, and a bar for each power of two, or for as many together as
    fit. Bars of waits that are reported stand out. *min_us* is the threshold in microseconds; None when there is none.
    """
    counts = every_bucket(waits.counts)
    if not counts.any():
        nothing: Lines = [[(clip("no waits yet", width, glyphs.ellipsis), "dim")]]
        return nothing[:height]
    half, most = (f"{format.duration(percentile(counts, part))}" for part in (50, 99))
    rows: Lines = [
        [(_head(waits, min_us, width, glyphs), "")],
        [(clip(f"p50 {half}  p99 {most}", width, glyphs.ellipsis), "dim")],
    ]
    octaves = by_octave(counts)
    first, last = (int(octaves.nonzero()[0][end]) for end in (0, -1))
    together = -(-(last + 1 - first) // max(height - len(rows), 1))
    starts = np.arange(first, last + 1, together)
    sums = np.add.reduceat(octaves[: last + 1], starts)
    top = int(sums.max())
    for start, count in zip(starts.tolist(), sums.tolist(), strict=True):
        end = min(start + together, _OCTAVES)
        upper = int(EDGES[end * PER_OCTAVE]) if end < _OCTAVES else 1 << 62
        high = min_us is not None and upper > min_us * 1000
        rows.append(_row(int(EDGES[start * PER_OCTAVE]), count, top, width, high, glyphs))
    return rows[:height]


def _row(from_ns: int, count: int, top: int, width: int, high: bool, glyphs: Glyphs) -> list[Piece]:
    """The shortest wait of a bar, the number of waits, and the bar."""
    digits = max(_COUNT, len(format.count(top)))
    label = f"{format.duration(from_ns):>{_FROM}} {format.count(count):>{digits}} "
    room = width - len(label)
    if room < 1:
        return [(clip(label, width, glyphs.ellipsis), "dim")]
    bar = glyphs.fill(count / top, room).rstrip(glyphs.bar_empty)
    return [(label, "dim"), (bar, "high" if high else "bar")]
