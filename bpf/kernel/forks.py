"""Follows forks: each new task gets the mark FOLLOWED if the task that makes it has it, before it runs.

A task is a process or a thread. Its mark is written in every case, so it never has that of an earlier task of its id.
"""

from __future__ import annotations

import os
from contextlib import suppress

from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.kernel import syscall
from ringtop.bpf.kernel.features import Kernel, online_cpus
from ringtop.bpf.kernel.instructions import (
    ADD,
    ADD_REGISTER,
    AND,
    CALL,
    EXIT,
    FRAME,
    JUMP_IF_EQUAL,
    LOAD_8,
    LOAD_32,
    LOAD_64,
    MOVE,
    MOVE_REGISTER,
    MOVE_REGISTER_32,
    SHIFT_RIGHT,
    STORE_8,
    STORE_32,
    instruction,
    load_map,
    on_stack,
    stack_address,
)
from ringtop.bpf.kernel.marks import FOLLOWED, Marks

_EVENT = "task_newtask"
_LOOKUP, _CURRENT, _READ, _READ_KERNEL = 1, 14, 4, 113
"""Helpers: bpf_map_lookup_elem, _get_current_pid_tgid, _probe_read and _probe_read_kernel."""
_TASK, _MARK = 6, 7
"""Registers that a call keeps: a task's id, and the mark to be written."""
_NEW, _AT = -8, -16
"""Places in the stack: the new task's id, and the key of a lookup."""


class Forks:
    """The hook, for the *marks*. It is attached only while something is followed. Raises CannotTrace where the kernel
    has no such hook."""

    def __init__(self, kernel: Kernel, marks: Marks) -> None:
        self._marks = marks
        self._attached: list[int] = []
        """File descriptors of the program and of its attachment."""
        self._raw = isinstance(kernel.btf, dict)
        if isinstance(kernel.btf, dict):
            read = _READ_KERNEL if "HAS_PROBE_READ_USER" in kernel.helpers else _READ
            self._find = b"".join(
                (
                    instruction(LOAD_64, 3, 1),  # the first argument: the new task
                    instruction(ADD, 3, value=kernel.btf["TASK_PID"]),
                    instruction(MOVE, 2, value=4),
                    on_stack(1),
                    instruction(CALL, value=read),
                )
            )
            return
        fields = kernel.tracepoint_fields("task", _EVENT)
        if "pid" not in fields:
            why = kernel.no_tracepoint("task", _EVENT) or f"the tracepoint task:{_EVENT} tells no pid"
            raise CannotTrace("processes cannot be followed", why, "`ringtop doctor` shows what this kernel lacks.")
        self._number = kernel.tracepoint_number(f"task:{_EVENT}")
        self._find = instruction(LOAD_32, 2, 1, fields["pid"][0]) + instruction(STORE_32, FRAME, 2, _NEW)

    @property
    def hooks(self) -> dict[str, int]:
        """The program's file descriptor by the name of its hook, while it is attached."""
        return {_EVENT: self._attached[0]} if self._attached else {}

    def _find_mark(self, absent: int) -> bytes:
        """Instructions that point register 0 at the mark of the task _TASK, or skip *absent* more where there is
        none."""
        return b"".join(
            (
                instruction(MOVE_REGISTER, 1, _TASK),
                instruction(SHIFT_RIGHT, 1, value=self._marks.shift),
                instruction(STORE_32, FRAME, 1, _AT),
                load_map(1, self._marks.fd),
                stack_address(2, _AT),
                instruction(CALL, value=_LOOKUP),
                instruction(JUMP_IF_EQUAL, 0, offset=2 + absent),
                instruction(AND, _TASK, value=(1 << self._marks.shift) - 1),
                instruction(ADD_REGISTER, 0, _TASK),
            )
        )

    def _program(self) -> bytes:
        return b"".join(
            (
                self._find,
                instruction(CALL, value=_CURRENT),
                instruction(MOVE_REGISTER_32, _TASK, 0),  # the lower half: the thread
                instruction(MOVE, _MARK),
                self._find_mark(absent=2),
                instruction(LOAD_8, _MARK, 0),
                instruction(AND, _MARK, value=FOLLOWED),
                instruction(LOAD_32, _TASK, FRAME, _NEW),
                self._find_mark(absent=1),
                instruction(STORE_8, 0, _MARK),
                instruction(MOVE, 0),
                instruction(EXIT),
            )
        )

    def attach(self) -> None:
        """Follow from now on. Raises CannotTrace."""
        try:
            kind = syscall.PROG_TYPE_RAW_TRACEPOINT if self._raw else syscall.PROG_TYPE_TRACEPOINT
            self._attached.append(program := syscall.program_load(kind, self._program()))
            if self._raw:
                self._attached.append(syscall.raw_attach(_EVENT.encode(), program))
            else:
                self._attached.append(syscall.perf_attach(self._number, online_cpus()[0], program))
        except OSError as e:
            self.detach()
            why = f"the kernel refused the hook {_EVENT}: {e.strerror}"
            raise CannotTrace("processes cannot be followed", why, "`ringtop doctor` shows what it lacks.") from e

    def detach(self) -> None:
        """Follow no more. Returns when the runs that had begun have ended."""
        if not self._attached:
            return
        while self._attached:
            os.close(self._attached.pop())
        with suppress(OSError):
            syscall.wait_for_programs()
