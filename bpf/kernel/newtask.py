"""The hook at which a task makes another one, before that runs: programs of a few instructions follow forks there."""

from __future__ import annotations

import os

from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.kernel import syscall
from ringtop.bpf.kernel.features import Kernel, online_cpus
from ringtop.bpf.kernel.instructions import (
    ADD,
    CALL,
    FRAME,
    LOAD_32,
    LOAD_64,
    MOVE,
    STORE_32,
    instruction,
    on_stack,
)

EVENT = "task_newtask"
CURRENT = 14
"""Helper bpf_get_current_pid_tgid: in a program at this hook, the ids of the task that makes the new one."""
NEW = -8
"""Place in the stack: the new task's id."""
_READ, _READ_KERNEL = 4, 113
"""Helpers: bpf_probe_read and _probe_read_kernel."""


class NewTask:
    """The hook as *kernel* has it. Raises CannotTrace where it has none."""

    flags: bytes
    """Instructions that load the flags of clone(2) to register 2. They come first: register 1 is still the context."""
    find: bytes
    """Instructions that put the new task's id at ``NEW``, while register 1 is the context, which they change."""

    def __init__(self, kernel: Kernel) -> None:
        self._number: int | None = None
        """The tracepoint's number; None for a raw tracepoint, of which BTF tells the arguments."""
        if isinstance(kernel.btf, dict):
            read = _READ_KERNEL if "HAS_PROBE_READ_USER" in kernel.helpers else _READ
            self.flags = instruction(LOAD_64, 2, 1, 8)  # the second argument
            self.find = b"".join(
                (
                    instruction(LOAD_64, 3, 1),  # the first: the new task
                    instruction(ADD, 3, value=kernel.btf["TASK_PID"]),
                    instruction(MOVE, 2, value=4),
                    on_stack(1),
                    instruction(CALL, value=read),
                )
            )
            return
        fields = kernel.tracepoint_fields("task", EVENT)
        for name in ("pid", "clone_flags"):
            if name not in fields:
                why = kernel.no_tracepoint("task", EVENT) or f"the tracepoint task:{EVENT} tells no {name}"
                raise _not_followed(why)
        self._number = kernel.tracepoint_number(f"task:{EVENT}")
        self.flags = instruction(LOAD_64, 2, 1, fields["clone_flags"][0])
        self.find = instruction(LOAD_32, 2, 1, fields["pid"][0]) + instruction(STORE_32, FRAME, 2, NEW)

    def attach(self, program: bytes) -> list[int]:
        """Run the instructions *program* from now on, until the file descriptors that are returned are closed: of the
        program and of its attachment. Raises CannotTrace."""
        attached = []
        try:
            if self._number is None:
                attached.append(syscall.program_load(syscall.PROG_TYPE_RAW_TRACEPOINT, program, EVENT.encode()))
                attached.append(syscall.raw_attach(EVENT.encode(), attached[0]))
            else:
                attached.append(syscall.program_load(syscall.PROG_TYPE_TRACEPOINT, program, EVENT.encode()))
                attached.append(syscall.perf_attach(self._number, online_cpus()[0], attached[0]))
        except OSError as e:
            for fd in attached:
                os.close(fd)
            raise _not_followed(f"the kernel refused the hook {EVENT}: {e.strerror}") from e
        return attached


def _not_followed(why: str) -> CannotTrace:
    return CannotTrace("processes cannot be followed", why, "`ringtop doctor` shows what this kernel lacks.")
