"""The figures of periods (stretches of time over one transport), side by side. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ringtop.bpf.common import sizes
from ringtop.bpf.stream import Period
from ringtop.tui.text import format
from ringtop.tui.text.text import clip, safe

LABEL, VALUE = 12, 10
"""The width of a figure's name, and the least width of each value, in cells."""
Row = tuple[str, ...]
"""A figure's name, and its values."""


def percentile(latency_us: Sequence[int], part: float) -> str:
    """The upper edge of the histogram bucket at which *part* (0 to 1) of all events is reached, such as '< 128 us'."""
    wanted = part * sum(latency_us)
    reached = 0
    for bucket, n in enumerate(latency_us):
        reached += n
        if n and reached >= wanted:
            return f"< {format.duration((1 << bucket) * 1000)}"
    return format.UNKNOWN_TEXT


def buffer(period: Period) -> str:
    """The transport and its buffer size, such as 'ring 256K'; for perf buffers, the size of one."""
    name = "ring" if period.transport == "ringbuf" else "perf"
    return clip(f"{name} {sizes.human(period.buffer_bytes)}", VALUE - 1)


def _rate(period: Period, n: int) -> str:
    return format.rate(n / period.seconds) if period.seconds > 0 else format.UNKNOWN_TEXT


def _reader(period: Period) -> str:
    return f"{period.reader_ns / period.seconds / 1e7:.1f}%" if period.seconds > 0 else format.UNKNOWN_TEXT


FIGURES: dict[str, Callable[[Period], str]] = {
    "buffer": buffer,
    "wakeup": lambda p: clip(safe(p.wakeup), VALUE - 1, ""),
    "events/s": lambda p: _rate(p, p.received),
    "delay p50": lambda p: percentile(p.latency_us, 0.5),
    "delay p99": lambda p: percentile(p.latency_us, 0.99),
    "wakeups/s": lambda p: _rate(p, p.wakeups),
    "reader CPU": _reader,
    "memory": lambda p: format.size(p.memory_bytes),
    "out of order": lambda p: format.short(p.inversions),
    "lost": lambda p: format.short(p.dropped),
}
"""The figures by name; none takes more than VALUE - 1 cells."""


def rows(names: Sequence[str], periods: Sequence[Period | None]) -> list[Row]:
    """One row for each figure in *names*, with a value for each of *periods*; unknown for None."""
    return [(name, *(FIGURES[name](p) if p is not None else format.UNKNOWN_TEXT for p in periods)) for name in names]
