"""The system calls that Python and bcc do not offer in the form needed here: bpf(2), perf_event_open(2), membarrier(2).

Layouts: ``union bpf_attr`` in include/uapi/linux/bpf.h, ``struct perf_event_attr`` in include/uapi/linux/perf_event.h.
All functions raise OSError with the kernel's errno.
"""

from __future__ import annotations

import ctypes as ct
import fcntl
import os
import platform
import struct
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NUMBERS = {  # bpf, perf_event_open, membarrier
    "x86_64": (321, 298, 324),
    "aarch64": (280, 241, 283),
}
_libc = ct.CDLL(None, use_errno=True)
_libc.syscall.restype = ct.c_long

MAP_TYPE_HASH = 1
MAP_TYPE_ARRAY = 2
MAP_TYPE_PERF_EVENT_ARRAY = 4
MAP_TYPE_LRU_HASH = 9
MAP_TYPE_ARRAY_OF_MAPS = 12
MAP_TYPE_RINGBUF = 27
MAP_MMAPABLE = 1 << 10
PROG_TYPE_SCHED_CLS = 3
PROG_TYPE_TRACEPOINT = 5
PROG_TYPE_RAW_TRACEPOINT = 17
PERF_TYPE_SOFTWARE = 1
PERF_TYPE_TRACEPOINT = 2
PERF_EVENT_IOC_SET_BPF = 0x4004_2408
PERF_COUNT_SW_BPF_OUTPUT = 10
PERF_SAMPLE_RAW = 1 << 10
PERF_FLAG_FD_CLOEXEC = 8

_MAP_CREATE, _MAP_LOOKUP, _MAP_UPDATE, _MAP_DELETE = 0, 1, 2, 3
_MAP_GET_NEXT_KEY, _PROG_LOAD, _PROG_TEST_RUN = 4, 5, 10
_PROG_GET_NEXT_ID, _PROG_GET_FD_BY_ID, _OBJ_GET_INFO_BY_FD = 11, 13, 15
_RAW_TRACEPOINT_OPEN = 17
_ENABLE_STATS, _STATS_RUN_TIME = 32, 0


def _call(which: int, *args: object) -> int:
    numbers = _NUMBERS.get(platform.machine())
    if numbers is None:
        raise OSError(38, f"ringtop does not know the system call numbers of {platform.machine()}")
    result: int = _libc.syscall(numbers[which], *args)
    if result < 0:
        number = ct.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _bpf(command: int, attr: bytes | ct.Array[ct.c_char]) -> int:
    buffer = ct.create_string_buffer(attr, len(attr)) if isinstance(attr, bytes) else attr
    return _call(0, command, buffer, len(buffer))


def map_create(
    kind: int, entries: int, key_size: int = 0, value_size: int = 0, name: bytes = b"", inner: int = 0, flags: int = 0
) -> int:
    """File descriptor of a new map. For a map of maps, *inner* is the file descriptor of a map like those it will
    hold."""
    sizes = kind, key_size, value_size, entries
    return _bpf(_MAP_CREATE, struct.pack("<IIIIIII16s", *sizes, flags, inner, 0, name[:15]))


def map_update(fd: int, key: int, value: bytes, new: bool = False) -> None:
    """Store *value* under the u32 *key*. With *new*, store it only if there is none (BPF_NOEXIST); otherwise
    FileExistsError is raised."""
    k, v = ct.c_uint32(key), ct.create_string_buffer(value, len(value))
    _bpf(_MAP_UPDATE, struct.pack("<IIQQQ", fd, 0, ct.addressof(k), ct.addressof(v), new))


def map_enter(fd: int, key: bytes, value: bytes) -> None:
    """Store *value* under *key*, of any size that the map has."""
    k, v = ct.create_string_buffer(key, len(key)), ct.create_string_buffer(value, len(value))
    _bpf(_MAP_UPDATE, struct.pack("<IIQQQ", fd, 0, ct.addressof(k), ct.addressof(v), 0))


def map_find(fd: int, key: bytes, size: int) -> bytes:
    """The value of *size* bytes under *key*."""
    k, v = ct.create_string_buffer(key, len(key)), ct.create_string_buffer(size)
    _bpf(_MAP_LOOKUP, struct.pack("<IIQQQ", fd, 0, ct.addressof(k), ct.addressof(v), 0))
    return v.raw


def map_put(fd: int, key: int, inner: int) -> None:
    """Store the map or perf event with file descriptor *inner* under the u32 *key*."""
    map_update(fd, key, inner.to_bytes(4, sys.byteorder))


def map_delete(fd: int, key: int) -> None:
    """Remove the u32 *key*."""
    k = ct.c_uint32(key)
    _bpf(_MAP_DELETE, struct.pack("<IIQQQ", fd, 0, ct.addressof(k), 0, 0))


def map_clear(fd: int) -> None:
    """Remove all entries of a map with u32 keys."""
    k = ct.c_uint32()
    while True:
        try:
            _bpf(_MAP_GET_NEXT_KEY, struct.pack("<IIQQQ", fd, 0, 0, ct.addressof(k), 0))
        except FileNotFoundError:
            return
        map_delete(fd, k.value)


def map_lookup(fd: int, key: int, into: NDArray[np.uint64]) -> None:
    """Read the value under the u32 *key* into *into*; for a per-CPU map that has one row for every possible CPU."""
    k = ct.c_uint32(key)
    _bpf(_MAP_LOOKUP, struct.pack("<IIQQQ", fd, 0, ct.addressof(k), into.ctypes.data, 0))


def program_load(kind: int, instructions: bytes, name: bytes = b"") -> int:
    """File descriptor of a new program, by a *name* of at most 15 bytes (Linux 4.15)."""
    code, licence = ct.create_string_buffer(instructions, len(instructions)), ct.create_string_buffer(b"GPL")
    attr = struct.pack(
        "<IIQQIIQII16s", kind, len(code) // 8, ct.addressof(code), ct.addressof(licence), 0, 0, 0, 0, 0, name
    )  # no log, no kernel version, no flags
    return _bpf(_PROG_LOAD, attr)


def program_run(fd: int) -> int:
    """Run a program for packets on a packet of 64 zero bytes, and return its result."""
    packet = ct.create_string_buffer(64)
    attr = ct.create_string_buffer(struct.pack("<IIIIQQII", fd, 0, 64, 0, ct.addressof(packet), 0, 1, 0), 40)
    _bpf(_PROG_TEST_RUN, attr)
    returned: int = struct.unpack_from("<i", attr, 4)[0]
    return returned


def object_info(fd: int, into: ct.Structure) -> None:
    """Fill in what the kernel tells of a program or map. Fields that this kernel does not know stay as they are."""
    _bpf(_OBJ_GET_INFO_BY_FD, struct.pack("<IIQ", fd, ct.sizeof(into), ct.addressof(into)))


def stats_enable() -> int:
    """File descriptor that makes the kernel count and time the runs of all BPF programs as long as it is open. It takes
    CAP_SYS_ADMIN."""
    return _bpf(_ENABLE_STATS, struct.pack("<I", _STATS_RUN_TIME))


def program_types() -> list[int]:
    """``prog_type`` of every BPF program that is loaded now, whichever process loaded it."""
    types: list[int] = []
    number = 0
    while True:
        attr = ct.create_string_buffer(struct.pack("<III", number, 0, 0), 12)
        try:
            _bpf(_PROG_GET_NEXT_ID, attr)
        except FileNotFoundError:
            return types
        (number,) = struct.unpack_from("<I", attr, 4)
        try:
            fd = _bpf(_PROG_GET_FD_BY_ID, struct.pack("<III", number, 0, 0))
        except FileNotFoundError:  # unloaded meanwhile
            continue
        info = ct.create_string_buffer(4)
        try:
            _bpf(_OBJ_GET_INFO_BY_FD, struct.pack("<IIQ", fd, len(info), ct.addressof(info)))
        finally:
            os.close(fd)
        types += struct.unpack("<I", info)


def perf_open(cpu: int, watermark: bool, wakeup: int) -> int:
    """File descriptor of a perf buffer for *cpu*. It becomes readable after *wakeup* bytes (with *watermark*) or
    events."""
    attr = struct.pack(
        "<IIQQQQQII",
        PERF_TYPE_SOFTWARE,
        112,  # PERF_ATTR_SIZE_VER5
        PERF_COUNT_SW_BPF_OUTPUT,
        1,  # sample_period
        PERF_SAMPLE_RAW,
        0,
        (1 << 14) if watermark else 0,
        wakeup,
        0,
    ).ljust(112, b"\0")
    return _call(1, ct.create_string_buffer(attr, len(attr)), -1, cpu, -1, PERF_FLAG_FD_CLOEXEC)


def perf_attach(tracepoint: int, cpu: int, program: int) -> int:
    """Attach the program with file descriptor *program* to the tracepoint of that number, on all CPUs, and return the
    file descriptor that keeps it attached. The perf event itself belongs to *cpu*, which must be online."""
    attr = struct.pack("<IIQ", PERF_TYPE_TRACEPOINT, 112, tracepoint).ljust(112, b"\0")
    fd = _call(1, ct.create_string_buffer(attr, len(attr)), -1, cpu, -1, PERF_FLAG_FD_CLOEXEC)
    try:
        fcntl.ioctl(fd, PERF_EVENT_IOC_SET_BPF, program)
    except OSError:
        os.close(fd)
        raise
    return fd


def raw_attach(tracepoint: bytes, program: int) -> int:
    """Attach the program with file descriptor *program* to a raw tracepoint, and return the file descriptor that keeps
    it attached."""
    name = ct.create_string_buffer(tracepoint)
    return _bpf(_RAW_TRACEPOINT_OPEN, struct.pack("<QII", ct.addressof(name), program, 0))


def wait_for_programs() -> None:
    """Return when every BPF program that runs now has ended: MEMBARRIER_CMD_GLOBAL waits for an RCU grace period.

    Where membarrier is refused (nohz_full=, seccomp), a map of maps is changed instead: the kernel then waits for a
    grace period, so that no program still uses the old map (maybe_wait_bpf_programs in kernel/bpf/syscall.c, since
    5.0).
    """
    try:
        _call(2, 1, 0, 0)
    except OSError:
        with ExitStack() as maps:
            inner = map_create(MAP_TYPE_ARRAY, 1, 4, 4)
            maps.callback(os.close, inner)
            outer = map_create(MAP_TYPE_ARRAY_OF_MAPS, 1, 4, 4, inner=inner)
            maps.callback(os.close, outer)
            map_put(outer, 0, inner)
