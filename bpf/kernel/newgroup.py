"""The hook at which a control group is made, before any task can be in it: programs of a few instructions see there
what it is called."""

from __future__ import annotations

import os

from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.kernel import syscall
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.instructions import (
    ADD,
    CALL,
    FRAME,
    JUMP_UNLESS,
    LOAD_32,
    LOAD_64,
    MOVE,
    MOVE_REGISTER,
    STORE_64,
    STORE_NUMBER_64,
    instruction,
    on_stack,
    stack_address,
)

EVENT = "cgroup_mkdir"
ROOM = 256
"""Bytes of a path in the stack; what is behind its end is 0. A longer one is cut."""
PATH, ID = -16 - ROOM, -16
"""Places in the stack: the path of the new control group, and its id."""
_READ, _READ_STR, _READ_KERNEL, _READ_KERNEL_STR = 4, 45, 113, 115
"""Helpers: bpf_probe_read and _str, and those for the kernel's memory alone."""
_GROUP, _NAME = 6, 7
"""Registers that a call keeps: the new control group, and where its path is."""


class NewGroup:
    """The hook as *kernel* has it. Raises CannotTrace where it has none."""

    def __init__(self, kernel: Kernel) -> None:
        if isinstance(kernel.btf, str):
            raise refused(kernel.btf)
        if kernel.btf["SMALL_GROUP_IDS"]:
            raise refused("the ids of this kernel's control groups have 32 bits (they have 64 since 5.5)")
        self._offsets, self._number = kernel.btf, kernel.hierarchy.number
        apart = "HAS_PROBE_READ_USER" in kernel.helpers
        self._read, self._read_str = (_READ_KERNEL, _READ_KERNEL_STR) if apart else (_READ, _READ_STR)

    def find(self, rest: int) -> bytes:
        """Instructions that put the new group's path and id at ``PATH`` and ``ID``, while register 1 is the context,
        or skip *rest* more where the group is not in the hierarchy that counts."""
        told = b"".join(
            (
                *(instruction(STORE_NUMBER_64, FRAME, offset=at) for at in range(PATH, ID, 8)),
                instruction(MOVE_REGISTER, 3, _NAME),
                instruction(MOVE, 2, value=ROOM),
                stack_address(1, PATH),
                instruction(CALL, value=self._read_str),
                self._load(_GROUP, "CGROUP_KN"),
                self._load(3, "KERNFS_NODE_ID"),
                instruction(STORE_64, FRAME, 3, ID),
            )
        )
        return b"".join(
            (
                instruction(LOAD_64, _GROUP, 1),  # the arguments: the group, and its path
                instruction(LOAD_64, _NAME, 1, 8),
                self._load(_GROUP, "CGROUP_ROOT"),
                self._load(3, "ROOT_HIERARCHY", 4),
                instruction(JUMP_UNLESS, 3, offset=len(told) // 8 + rest, value=self._number),
                told,
            )
        )

    def _load(self, base: int, field: str, size: int = 8) -> bytes:
        """Put a field of what the register *base* points to into register 3."""
        return b"".join(
            (
                instruction(MOVE_REGISTER, 3, base),
                instruction(ADD, 3, value=self._offsets[field]),
                instruction(MOVE, 2, value=size),
                on_stack(1),
                instruction(CALL, value=self._read),
                instruction(LOAD_64 if size == 8 else LOAD_32, 3, FRAME, -8),
            )
        )

    def attach(self, program: bytes) -> list[int]:
        """Run the instructions *program* from now on, until the file descriptors that are returned are closed: of the
        program and of its attachment. Raises CannotTrace."""
        attached: list[int] = []
        try:
            attached.append(syscall.program_load(syscall.PROG_TYPE_RAW_TRACEPOINT, program, EVENT.encode()))
            attached.append(syscall.raw_attach(EVENT.encode(), attached[0]))
        except OSError as e:
            for fd in attached:
                os.close(fd)
            raise refused(f"the kernel refused the hook {EVENT}: {e.strerror}") from e
        return attached


def refused(why: str) -> CannotTrace:
    """The error of a kernel on which no control group can be followed, and why."""
    return CannotTrace("units and containers cannot be followed", why, "`ringtop doctor` shows what this kernel lacks.")
