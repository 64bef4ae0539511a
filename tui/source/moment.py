"""Times in a recording, as a user writes them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo

FORMS = "14:03:20, '2026-11-27 14:03:20' or 90s"

_NS = 1_000_000_000
_SPAN = re.compile(r"(?=.)(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9}(?:\.\d{1,9})?)s?)?", re.ASCII)
_CLOCK = re.compile(
    r"(?:(\d{4})-(\d\d)-(\d\d)[ T])?([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d(?:\.\d{1,9})?))?",
    re.ASCII,
)


def span_ns(text: str) -> int | None:
    """Return '90s', '1m30s' or '2h' in nanoseconds; None for anything else."""
    if not (found := _SPAN.fullmatch(text.strip())):
        return None
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return int(((hours * 60 + minutes) * 60 + seconds) * _NS)


def clock_ns(text: str, begin_ns: int, tz: tzinfo | None = None) -> int | None:
    """Return the wall-clock time '14:03:20' or '2026-11-27 14:03:20' in ns since 1970; None for anything else.

    A time without a date is the one nearest to the half day before *begin_ns* and after it: of a recording that begins
    at 23:50, 00:10 is on the next day. *tz* is the zone, by default the machine's. Raises ValueError for a date that
    does not exist, and when *begin_ns* is no usable time.
    """
    if not (found := _CLOCK.fullmatch(text.strip())):
        return None
    year, month, day, hour, minute, second = found.groups()
    try:
        begin = datetime.fromtimestamp(begin_ns / _NS, tz)
        meant = begin.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0, fold=0)
        if year is not None:
            meant = meant.replace(year=int(year), month=int(month), day=int(day))
        elif meant < begin - timedelta(hours=12):
            meant += timedelta(days=1)
        meant += timedelta(seconds=float(second or 0))
        return int(meant.timestamp() * 1e6) * 1000
    except (ValueError, OverflowError, OSError) as e:
        raise ValueError(f"{text.strip()!r} is not a date, or this recording has no usable wall clock") from e


def moment_ns(text: str, begin_ns: int, tz: tzinfo | None = None) -> int:
    """Return a time in ns since 1970: a wall-clock time, or a span after *begin_ns*. Raises ValueError."""
    if (span := span_ns(text)) is not None:
        return begin_ns + span
    if (at := clock_ns(text, begin_ns, tz)) is not None:
        return at
    raise ValueError(f"{text[:30]!r} is not a time; write {FORMS}")
