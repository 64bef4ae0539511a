"""The two transports, and their names in messages and options, in the kernel, and on the screen."""

from __future__ import annotations

from typing import Literal, get_args

Transport = Literal["ringbuf", "perfbuf"]
TRANSPORTS: tuple[Transport, ...] = get_args(Transport)
"""All transports, in the order of their numbers in the kernel (``enum transport`` of include/ringtop.h)."""
OTHER: dict[Transport, Transport] = {"ringbuf": "perfbuf", "perfbuf": "ringbuf"}
NAMES: dict[str, str] = {"ringbuf": "ring buffer", "perfbuf": "perf buffers"}
"""The transports' names on the screen."""
MOST_SECONDS = 3600
"""Length of the longest comparison of the two, in seconds."""
