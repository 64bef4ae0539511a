"""Buffer sizes, wakeup modes and ways into the ring buffer, as a user writes them."""

from __future__ import annotations

import mmap
import re
from typing import Literal, get_args

from ringtop.bpf.common.transports import Transport

PAGE = mmap.PAGESIZE
DEFAULT: dict[Transport, int] = {"ringbuf": 2 << 20, "perfbuf": 256 << 10}
"""Default sizes in bytes of a program's ring buffer, and of each CPU's perf buffer."""
LARGEST = 1 << 30
MOST_EVENTS = 1 << 20
"""Largest N of ``batch:N``."""

Emit = Literal["output", "output+query", "reserve", "reserve+query"]
"""The ways in which events are written into the ring buffer (``EMIT_…`` of emit.h)."""
EMITS: tuple[Emit, ...] = get_args(Emit)

_SIZE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)\s*(?:([kmg])(?:i?b)?|([bp]))?", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "p": PAGE}
_WAKEUPS = ("timer", "adaptive", "every", "batch")


def human(size: int) -> str:
    """Return a size as short text: 1048576 is '1M'."""
    for unit, factor in (("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)):
        if size >= factor and size % factor == 0:
            return f"{size // factor}{unit}"
    return str(size)


def not_a_size(given: object) -> ValueError:
    """Return the error for a value that is not a size."""
    return ValueError(f"{given!r:.40} is not a size: write '64 MiB', '256K', '16P' (pages) or a number of bytes")


def parse_bytes(text: str) -> int:
    """Return '64 MiB', '256K' or '65536' in bytes; K, M, G are powers of 1024 and P is pages. Raises ValueError."""
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise not_a_size(text)
    from fractions import Fraction  # takes long to import, and few write a size

    return int(Fraction(found[1]) * _UNITS[(found[2] or found[3] or "").lower()])


def parse_size(text: str) -> int:
    """Return the size of a buffer in bytes. Raises ValueError, which names the nearest valid sizes."""
    return checked(parse_bytes(text), text)


def checked(size: int, text: str = "") -> int:
    """Return *size*, which the user wrote as *text*. Raises ValueError, which names the nearest valid sizes."""
    if PAGE <= size <= LARGEST and size & (size - 1) == 0:
        return size
    below = max(PAGE, min(LARGEST, 1 << max(size.bit_length() - 1, 0)))
    near = sorted({below, min(LARGEST, below * 2) if size > below else below})
    raise ValueError(
        f"a buffer of {text or human(size)} is not possible: it must be a power of two from one page ({human(PAGE)}) "
        f"to {human(LARGEST)}. Nearest: {' or '.join(map(human, near))}"
    )


def parse_wakeup(text: str) -> tuple[str, int]:
    """Return 'batch:64' as ('batch', 64); the number is 0 for the other modes. Raises ValueError."""
    mode, colon, number = text.partition(":")
    if mode not in _WAKEUPS or (mode == "batch") != bool(colon):
        raise ValueError(
            f"{text!r} is not a wakeup mode; the modes are timer, adaptive, every and batch:N (such as batch:64)"
        )
    if mode != "batch":
        return mode, 0
    if not re.fullmatch("[0-9]{1,7}", number) or not 1 <= int(number) <= MOST_EVENTS:
        raise ValueError(f"{text!r}: N must be a number of events from 1 to {MOST_EVENTS}")
    return mode, int(number)


def kernel_wakeup(text: str, size: int) -> tuple[int, int]:
    """Return the mode and its argument, as ``struct config`` holds them, for a ring buffer of *size* bytes."""
    mode, number = parse_wakeup(text)
    return _WAKEUPS.index(mode), size // 2 if mode == "timer" else number


def perf_wakeup(text: str, size: int) -> tuple[bool, int]:
    """Return the watermark flag and the wakeup count of ``struct perf_event_attr``, for perf buffers of *size* bytes.

    The kernel has no adaptive notification for perf buffers, so ``adaptive`` means ``every`` there.
    """
    mode, number = parse_wakeup(text)
    return (True, size // 2) if mode == "timer" else (False, max(number, 1))
