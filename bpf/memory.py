"""Memory shared with the kernel: the order of reads and writes, and how much of it there may be.

x86 keeps loads in order and stores in order, so plain accesses do. Elsewhere a fence from libatomic stands where the
kernel's ring buffer and perf protocols ask for acquire and release.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import platform
import re
from collections.abc import Callable
from pathlib import Path

_SEQ_CST = 5

PAGE = mmap.PAGESIZE


def _fence() -> Callable[[], None]:
    if platform.machine() in ("x86_64", "i686"):
        return lambda: None
    thread_fence = ctypes.CDLL("libatomic.so.1").atomic_thread_fence
    return lambda: thread_fence(_SEQ_CST)


fence = _fence()
"""Nothing before it is reordered with anything after it."""


def ensure_free(size: int) -> None:
    """Raises OSError when *size* bytes of kernel memory are more than half of what this machine has left: the buffers
    must not push out what they are there to watch."""
    found = re.search(r"^MemAvailable:\s*(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    if found and size > (left := int(found[1]) << 10) // 2:
        raise OSError(
            errno.ENOMEM, f"{size >> 20} MiB is more than half of the {left >> 20} MiB that this machine has left"
        )
