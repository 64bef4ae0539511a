"""What the kernel tells of this process's BPF programs and maps.

Layouts: ``struct bpf_prog_info`` and ``struct bpf_map_info`` in include/uapi/linux/bpf.h. Memory is what the line
``memlock`` of /proc/self/fdinfo says, as in bpftool (``bpf_prog_show_fdinfo`` and ``bpf_map_show_fdinfo`` in
kernel/bpf/syscall.c).
"""

from __future__ import annotations

import ctypes as ct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ringtop.bpf.kernel import syscall

_MOST_MAPS = 64
"""The most maps that a program may use: MAX_USED_MAPS in include/linux/bpf_verifier.h."""
UNKNOWN = -1
"""Memory that this process may not see."""
_KINDS = {
    2: "array",
    4: "perf_event_array",
    6: "percpu_array",
    9: "lru_hash",
    12: "array_of_maps",
    27: "ringbuf",
}
"""``enum bpf_map_type``: the kinds that ringtop has."""


class _ProgramInfo(ct.Structure):
    _fields_ = (
        ("type", ct.c_uint32),
        ("id", ct.c_uint32),
        ("tag", ct.c_uint8 * 8),
        ("jited_prog_len", ct.c_uint32),
        ("xlated_prog_len", ct.c_uint32),
        ("instructions", ct.c_uint64 * 2),
        ("load_time", ct.c_uint64),
        ("created_by_uid", ct.c_uint32),
        ("nr_map_ids", ct.c_uint32),
        ("map_ids", ct.c_uint64),
        ("name", ct.c_char * 16),
        ("ifindex_to_prog_tags", ct.c_uint64 * 14),
        ("run_time_ns", ct.c_uint64),
        ("run_cnt", ct.c_uint64),
        ("recursion_misses", ct.c_uint64),
    )


class _MapInfo(ct.Structure):
    _fields_ = (
        ("type", ct.c_uint32),
        ("id", ct.c_uint32),
        ("key_size", ct.c_uint32),
        ("value_size", ct.c_uint32),
        ("max_entries", ct.c_uint32),
        ("map_flags", ct.c_uint32),
        ("name", ct.c_char * 16),
    )


@dataclass(frozen=True, slots=True)
class Program:
    """One BPF program, which is one function of a program of ringtop's."""

    id: int
    tag: str
    """The hash of its instructions."""
    runs: int
    """Times that it ran while the kernel counted that."""
    run_ns: int
    """Time that these runs took, in nanoseconds."""
    jited_bytes: int
    """Size of its machine code; 0 where the kernel interprets it."""
    memory_bytes: int
    """UNKNOWN when it may not be seen."""
    maps: tuple[int, ...]
    """Ids of the maps it uses."""


@dataclass(frozen=True, slots=True)
class Map:
    """One BPF map."""

    id: int
    name: str
    kind: str
    key_bytes: int
    value_bytes: int
    entries: int
    memory_bytes: int
    """UNKNOWN when it may not be seen."""


def misses(fd: int) -> int:
    """Times that the kernel skipped the program *fd* because it was already running; 0 where it does not count that."""
    info = _ProgramInfo()
    syscall.object_info(fd, info)
    return int(info.recursion_misses)


def program(fd: int) -> Program:
    """The program *fd*. Raises OSError."""
    ids = (ct.c_uint32 * _MOST_MAPS)()
    info = _ProgramInfo(nr_map_ids=_MOST_MAPS, map_ids=ct.addressof(ids))
    syscall.object_info(fd, info)
    return Program(
        id=info.id,
        tag=bytes(info.tag).hex(),
        runs=info.run_cnt,
        run_ns=info.run_time_ns,
        jited_bytes=info.jited_prog_len,
        memory_bytes=_memory(fd),
        maps=tuple(ids[: info.nr_map_ids]),
    )


def maps() -> Iterator[Map]:
    """All maps that this process has a file descriptor of, each once."""
    seen = set()
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            if entry.readlink().name != "anon_inode:bpf-map":
                continue
            info, fd = _MapInfo(), int(entry.name)
            syscall.object_info(fd, info)
            if info.id in seen:
                continue
            seen.add(info.id)
            kind, name = _KINDS.get(info.type, str(info.type)), info.name.decode(errors="replace")
            sizes = info.key_size, info.value_size, info.max_entries
            yield Map(info.id, name, kind, *sizes, _memory(fd))


def inner_map(fd: int) -> int | None:
    """Id of the map in element 0 of the array of maps *fd*; None where there is none. Raises OSError."""
    found = np.zeros(1, np.uint64)
    try:
        syscall.map_lookup(fd, 0, found)
    except FileNotFoundError:
        return None
    return int(found[0])


def _memory(fd: int) -> int:
    try:
        lines = Path(f"/proc/self/fdinfo/{fd}").read_text().splitlines()
    except PermissionError:  # before 5.14, when the process has given up root
        return UNKNOWN
    return next((int(line.split()[1]) for line in lines if line.startswith("memlock:")), UNKNOWN)
