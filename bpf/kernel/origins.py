"""Keeps who forked each process: its id, and its name at that time. It may have ended since."""

from __future__ import annotations

import os

from ringtop.bpf.kernel import syscall
from ringtop.bpf.kernel.features import Kernel, online_cpus
from ringtop.bpf.kernel.instructions import (
    ADD,
    AND,
    CALL,
    EXIT,
    FRAME,
    JUMP_IF_EQUAL,
    LOAD_32,
    LOAD_64,
    MOVE,
    SHIFT_RIGHT,
    STORE_32,
    STORE_NUMBER_64,
    instruction,
    load_map,
    stack_address,
)
from ringtop.bpf.kernel.limits import allow_locked

_EVENT = "task_newtask"
_CLONE_THREAD = 0x10000
"""include/uapi/linux/sched.h"""
_UPDATE, _CURRENT, _COMM, _READ, _READ_KERNEL = 2, 14, 16, 4, 113
"""Helpers: bpf_map_update_elem, _get_current_pid_tgid, _get_current_comm, _probe_read and _probe_read_kernel."""
_NEW, _ORIGIN = -8, -32
"""Places in the stack: the new process's id, and ``struct origin`` of ringtop.h."""
_COMM_BYTES, _ORIGIN_BYTES = 16, 20


class Origins:
    """The map, which all programs share, and the hook that fills it: of what was forked before it is attached, nobody
    knows. *entries* is the number of processes that are kept. Raises OSError."""

    def __init__(self, kernel: Kernel, entries: int = 10_240) -> None:
        allow_locked()
        self.fd = syscall.map_create(syscall.MAP_TYPE_LRU_HASH, entries, 4, _ORIGIN_BYTES, b"origins")
        self._attached: list[int] = []
        """File descriptors of the program and of its attachment."""
        self._raw = isinstance(kernel.btf, dict)
        if self._raw:
            assert isinstance(kernel.btf, dict)
            read = _READ_KERNEL if "HAS_PROBE_READ_USER" in kernel.helpers else _READ
            flags = instruction(LOAD_64, 2, 1, 8)  # the second argument
            find = b"".join(
                (
                    instruction(LOAD_64, 3, 1),  # the first: the new task
                    instruction(ADD, 3, value=kernel.btf["TASK_PID"]),
                    instruction(MOVE, 2, value=4),
                    stack_address(1, _NEW),
                    instruction(CALL, value=read),
                )
            )
        else:
            fields = kernel.tracepoint_fields("task", _EVENT)
            self._number = kernel.tracepoint_number(f"task:{_EVENT}")
            flags = instruction(LOAD_64, 2, 1, fields["clone_flags"][0])
            find = instruction(LOAD_32, 2, 1, fields["pid"][0]) + instruction(STORE_32, FRAME, 2, _NEW)
        note = b"".join(
            (
                find,
                instruction(CALL, value=_CURRENT),
                instruction(SHIFT_RIGHT, 0, value=32),  # the upper half: the process
                instruction(STORE_32, FRAME, 0, _ORIGIN),
                stack_address(1, _ORIGIN + 4),
                instruction(MOVE, 2, value=_COMM_BYTES),
                instruction(CALL, value=_COMM),
                load_map(1, self.fd),
                stack_address(2, _NEW),
                stack_address(3, _ORIGIN),
                instruction(MOVE, 4),
                instruction(CALL, value=_UPDATE),
            )
        )
        self._program = b"".join(
            (
                instruction(STORE_NUMBER_64, FRAME, offset=_NEW),
                flags,
                instruction(AND, 2, value=_CLONE_THREAD),
                instruction(JUMP_IF_EQUAL, 2, offset=2),
                instruction(MOVE, 0),
                instruction(EXIT),
                note,
                instruction(MOVE, 0),
                instruction(EXIT),
            )
        )

    @property
    def hooks(self) -> dict[str, int]:
        """The program's file descriptor by the name of its hook, while it is attached."""
        return {f"{_EVENT} (origins)": self._attached[0]} if self._attached else {}

    def attach(self) -> None:
        """Follow forks from now on. Raises OSError."""
        kind = syscall.PROG_TYPE_RAW_TRACEPOINT if self._raw else syscall.PROG_TYPE_TRACEPOINT
        self._attached.append(program := syscall.program_load(kind, self._program, _EVENT.encode()))
        if self._raw:
            self._attached.append(syscall.raw_attach(_EVENT.encode(), program))
        else:
            self._attached.append(syscall.perf_attach(self._number, online_cpus()[0], program))

    def close(self) -> None:
        """Follow no more, and free the map. Programs that use it keep it."""
        while self._attached:
            os.close(self._attached.pop())
        os.close(self.fd)
