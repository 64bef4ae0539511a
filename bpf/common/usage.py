"""What a process has used of the machine, as /proc tells it (Documentation/filesystems/proc.rst)."""

from __future__ import annotations

import os
import re
import resource
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


class Usage(NamedTuple):
    """Totals since a process began, and its memory now."""

    cpu_ns: int
    """CPU time; of other processes, in whole ticks of the kernel's clock."""
    wakeups: int
    """Times that it waited and was woken again (voluntary context switches)."""
    rss_bytes: int
    pss_bytes: int
    """As resident memory, but of pages that several processes share, its part of them; -1 where that may not be
    seen."""


def usage(pid: int) -> Usage:
    """The usage of process *pid*. Raises OSError when there is none."""
    process = Path("/proc") / str(pid)
    if pid == os.getpid():  # threads that have ended included
        cpu_ns, wakeups = time.process_time_ns(), resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
    else:
        fields = (process / "stat").read_bytes().rpartition(b")")[2].split()
        cpu_ns = (int(fields[11]) + int(fields[12])) * _TICK_NS
        wakeups = sum(_number(task / "status", "voluntary_ctxt_switches") for task in (process / "task").iterdir())
    rss = int((process / "statm").read_text().split()[1]) * resource.getpagesize()
    pss = -1
    with suppress(OSError):
        pss = _number(process / "smaps_rollup", "Pss") << 10
    return Usage(cpu_ns, wakeups, rss, pss)


def _number(file: Path, name: str) -> int:
    found = re.search(rf"^{name}:\s*(\d+)", file.read_text(), re.MULTILINE)
    return int(found[1]) if found else 0
