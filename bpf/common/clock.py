"""The clock that stamps events: the kernel's own monotonic clock, as bpf_ktime_get_ns() reads it."""

from __future__ import annotations

import os
import time
from pathlib import Path

STEP_NS = 1_000_000
"""The distance to the wall clock is measured every second, each time a few hundred ns differently. It counts as changed
from this difference on, as when the wall clock is set or slewed, or the machine was suspended."""

_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def _shift_ns(proc: Path = Path("/proc/self")) -> int:
    """How far this process's monotonic clock is ahead of the kernel's: the offset of its time namespace. The file holds
    a line for each clock, with seconds and nanoseconds (proc_timens_show_offsets in kernel/time/namespace.c); it tells
    of the namespace that children get, which is ours as well unless we made it ourselves."""
    try:
        if (proc / "ns" / "time").stat().st_ino != (proc / "ns" / "time_for_children").stat().st_ino:
            return 0
        lines = [line.split() for line in (proc / "timens_offsets").read_text().splitlines()]
        return sum(int(s) * 1_000_000_000 + int(ns) for name, s, ns in lines if name == "monotonic")
    except (OSError, ValueError):
        return 0  # a kernel without time namespaces


_SHIFT_NS = _shift_ns()


def now_ns() -> int:
    """The kernel's monotonic clock, ns."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) - _SHIFT_NS


def began_ns(tid: int, proc: Path = Path("/proc")) -> int:
    """Time at which a thread or process started, on the same clock, rounded down to a tick. Raises OSError,
    ValueError."""
    stat = (proc / str(tid) / "stat").read_bytes()
    ticks = int(stat[stat.rindex(b")") + 2 :].split()[19])  # field 22, proc(5)
    asleep = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - now_ns()
    return ticks * _TICK_NS - asleep
