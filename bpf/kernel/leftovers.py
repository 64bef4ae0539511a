"""Frees what bcc's compiler leaves in memory once the programs are loaded: some 130 MiB that are not needed any
more."""

from __future__ import annotations

import ctypes
import gc
import mmap
import re
import sys
from pathlib import Path

_MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) r-.p \S+ \S+ \d+ +\S*/lib(?:LLVM|clang|bcc)[^/]*$")


def release() -> None:
    """Give freed memory back to the kernel, and the compiler's own pages, which are read from its files again if they
    are needed."""
    compiled = "bcc" in sys.modules
    if compiled:
        gc.collect()
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):  # glibc
        libc.malloc_trim(0)
    if not compiled:
        return
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for start, end in _clean(Path("/proc/self/smaps").read_text()):
        libc.madvise(start, end - start, mmap.MADV_DONTNEED)


def _clean(smaps: str) -> list[tuple[int, int]]:
    """The compiler's mappings that were never changed, according to *smaps* (Documentation/filesystems/proc.rst). In
    other mappings changes would be lost."""
    found: list[tuple[int, int]] = []
    mapping: tuple[int, int] | None = None
    for line in smaps.splitlines():
        if match := _MAPPING.match(line):
            mapping = int(match[1], 16), int(match[2], 16)
        elif line[:1].islower() or line[:1].isdigit():  # the first line of another mapping
            mapping = None
        elif line.startswith("Anonymous:") and mapping and line.split()[1] == "0":
            found.append(mapping)
    return found
