"""Memory shared with the kernel: the order of reads and writes, and how much of it there may be.

x86 keeps loads in order and stores in order, so plain accesses suffice there. On other machines a fence from libatomic
stands where the kernel's ring buffer and perf protocols ask for acquire and release.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from ringtop.bpf.common.errors import CannotTrace

_SEQ_CST = 5


@cache
def _fence() -> Callable[[int], None]:
    if platform.machine() in ("x86_64", "i686"):
        return lambda order: None
    try:
        thread_fence: Callable[[int], None] = ctypes.CDLL("libatomic.so.1").atomic_thread_fence
    except OSError as e:
        raise CannotTrace("buffers cannot be read", str(e), "Install libatomic1 (Fedora, Arch: libatomic).") from e
    return thread_fence


def fence() -> None:
    """Keep all accesses before the fence before all those after it. Raises CannotTrace where libatomic is missing."""
    _fence()(_SEQ_CST)


def ensure_free(size: int) -> None:
    """Raises OSError when *size* bytes of kernel memory are more than half of what is available: the buffers must not
    displace what they are there to watch."""
    found = re.search(r"^MemAvailable:\s*(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    if found and size > (left := int(found[1]) << 10) // 2:
        raise OSError(
            errno.ENOMEM, f"{size >> 20} MiB is more than half of the {left >> 20} MiB of memory that are available"
        )
