"""Numbers, sizes, durations and times as short text of known width. Pure functions."""

from __future__ import annotations

from datetime import datetime, tzinfo

from ringtop.bpf.common.transports import NAMES
from ringtop.tui.text.text import safe

UNKNOWN_TEXT = "-"
REASONS = {"full": "buffer full", "no_reader": "no reader", "other": "refused"}
"""The ledger's drop reasons in words."""


def reason(name: str) -> str:
    """Return a drop reason in words; one that this version does not know, as it is."""
    return REASONS.get(name, safe(name))


def count(n: int | float) -> str:
    """Return a number with all digits, in groups: 1,204."""
    return f"{int(n):,}"


def several(n: int, noun: str) -> str:
    """Return a number of things whose plural ends in s: 1 key, 1,204 keys."""
    return f"{count(n)} {noun}{'' if n == 1 else 's'}"


def short(n: int | float) -> str:
    """Return a number in at most 5 characters: 999, 1.2k, 34k, 1.2M."""
    value = float(n)
    if abs(value) < 999.5:
        return f"{value:.0f}"
    for unit in "kMGTP":
        value /= 1000
        if abs(value) < 9.95:
            return f"{value:.1f}{unit}"
        if abs(value) < 999.5:
            return f"{value:.0f}{unit}"
    return f"{value:.0f}E"


def rate(n: float) -> str:
    """Return a number per second in at most 5 characters: 0, 0.4, 12, 1.2k."""
    return f"{n:.1f}" if 0 < n < 9.95 and n != int(n) else short(n)


def size(n: int) -> str:
    """Return a number of bytes with its unit: 256 KiB, 1.5 MiB."""
    value = float(n)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            break
        value /= 1024
    return f"{value:.0f} {unit}" if value == int(value) or value >= 100 else f"{value:.1f} {unit}"


def buffer(transport: str, each: int, cpus: int) -> str:
    """Return a transport and its size: 'ring buffer 256 KiB', 'perf buffers 2x128 KiB'."""
    name = NAMES[transport]
    return f"{name} {f'{cpus}x' if transport == 'perfbuf' else ''}{size(each)}" if each else name


def duration(ns: int) -> str:
    """Return a duration in three digits and a unit, at most 7 characters: 850 ns, 12.3 ms, 1.02 s."""
    value, unit = float(ns), "ns"
    for larger in ("us", "ms", "s"):
        if value < 999.5:
            break
        value /= 1000
        unit = larger
    if unit == "s" and value >= 999.5:
        return f"{value:.0f} s"
    digits = 0 if unit == "ns" or value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:.{digits}f} {unit}"


def threshold(us: int) -> str:
    """Return a threshold of *us* microseconds, exactly: 10 ms, 50 us."""
    return f"{us} us" if us % 1000 else f"{us // 1000} ms"


def age(ns: int) -> str:
    """Return the time that has passed: 0.2s, 12.3s, 4m05s, 3h07m, 5d02h."""
    seconds = max(0, ns) / 1e9
    if seconds < 99.95:
        return f"{seconds:.1f}s"
    return uptime(int(seconds))


def uptime(seconds: int) -> str:
    """Return a span in at most two units: 12s, 4m05s, 3h07m, 5d02h."""
    minutes, s = divmod(max(0, seconds), 60)
    hours, m = divmod(minutes, 60)
    days, h = divmod(hours, 24)
    if days:
        return f"{days}d{h:02}h"
    if hours:
        return f"{h}h{m:02}m"
    return f"{m}m{s:02}s" if minutes else f"{s}s"


def clock(wall_ns: int, zone: tzinfo | None, digits: int = 3) -> str:
    """Return the wall-clock time of day with *digits* decimals of the second: 12:34:56.789."""
    seconds, rest = divmod(wall_ns, 1_000_000_000)
    try:
        text = datetime.fromtimestamp(seconds, zone).strftime("%H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return "--:--:--"
    return f"{text}.{rest // 10 ** (9 - digits):0{digits}}" if digits else text


def percent(part: float, whole: float) -> str:
    """Return a percentage in at most 4 characters: 0%, 12%, 100%. A share below 0.5% is shown as <1%, never as 0%."""
    if whole <= 0 or part <= 0:
        return "0%"
    value = 100.0 * part / whole  # a float, for the product may be too large for an integer of NumPy's
    return "<1%" if value < 0.5 else f"{min(value, 100):.0f}%"
