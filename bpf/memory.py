"""Order of reads and writes to memory shared with the kernel.

x86 keeps loads in order and stores in order, so plain accesses do. Elsewhere a fence from libatomic stands where the
kernel's ring buffer and perf protocols ask for acquire and release.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
from collections.abc import Callable

_SEQ_CST = 5

PAGE = mmap.PAGESIZE


def _fence() -> Callable[[], None]:
    if platform.machine() in ("x86_64", "i686"):
        return lambda: None
    thread_fence = ctypes.CDLL("libatomic.so.1").atomic_thread_fence
    return lambda: thread_fence(_SEQ_CST)


fence = _fence()
"""Nothing before it is reordered with anything after it."""
