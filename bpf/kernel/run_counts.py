"""Makes the kernel count and time the runs of BPF programs, which costs every run of every program a little."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ringtop.bpf.kernel import syscall

SYSCTL = Path("/proc/sys/kernel/bpf_stats_enabled")
"""The switch for the whole machine; the only one before Linux 5.8."""


def begin() -> Callable[[], object]:
    """Begin to count. Returns what ends it. Raises OSError; FileNotFoundError where the kernel cannot count (before
    5.1)."""
    try:
        return partial(os.close, syscall.stats_enable())
    except OSError as e:
        if e.errno != errno.EINVAL:  # what a kernel says that does not know the command
            raise
    before = SYSCTL.read_text()
    SYSCTL.write_text("1")
    return partial(SYSCTL.write_text, before)
