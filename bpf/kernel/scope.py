"""The control group whose events are wanted, and the hook that sees when it is made again, as that of a unit is that
is restarted: it is another one then, with another id."""

from __future__ import annotations

import os
import struct
from contextlib import suppress

from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.kernel import syscall
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.instructions import (
    ADD,
    CALL,
    EXIT,
    FRAME,
    JUMP_IF_EQUAL,
    JUMP_UNLESS_SAME,
    LOAD_32,
    LOAD_64,
    MOVE,
    MOVE_REGISTER,
    STORE_64,
    STORE_NUMBER_64,
    instruction,
    load_map,
    on_stack,
    stack_address,
)
from ringtop.bpf.kernel.limits import allow_locked

EVENT = "cgroup_mkdir"
LONGEST = 255
"""Bytes of the longest path of a control group that is seen when it is made again."""
_LOOKUP, _READ, _READ_STR, _READ_KERNEL, _READ_KERNEL_STR = 1, 4, 45, 113, 115
"""Helpers: bpf_map_lookup_elem, bpf_probe_read and _str, and those for the kernel's memory alone."""
_KEY, _ROOM = -256, 256
"""The place of the path in the stack, and its size."""
_GROUP, _HIERARCHY = 6, 7
"""Registers that a call keeps: the new control group, and the number of the hierarchy that counts."""


class WantedGroup:
    """The map of one group that all programs share (``struct group`` of ringtop.h), and the hook. Raises OSError."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        allow_locked()
        self.fd = syscall.map_create(syscall.MAP_TYPE_ARRAY, 1, 4, 16, b"scope")
        self._attached: list[int] = []
        """File descriptors of the hook's map, of its program and of its attachment."""

    @property
    def hooks(self) -> dict[str, int]:
        """The program's file descriptor by the name of its hook, while it is attached."""
        return {EVENT: self._attached[1]} if self._attached else {}

    def want(self, cgroup: int, path: bytes) -> None:
        """Want the control group with this id, and the one that is made at this path after it. Raises CannotTrace, and
        then everything stays as it is."""
        if isinstance(self._kernel.btf, str):
            raise refused(self._kernel.btf)
        if self._kernel.btf["SMALL_GROUP_IDS"]:
            raise refused("the ids of this kernel's control groups have 32 bits (they have 64 since 5.5)")
        attached: list[int] = []
        try:
            if len(path) <= LONGEST:
                attached.append(syscall.map_create(syscall.MAP_TYPE_HASH, 1, _ROOM, 8, b"scope_paths"))
                number = struct.pack("=Q", self._kernel.hierarchy.number)
                syscall.map_enter(attached[0], path.ljust(_ROOM, b"\0"), number)
                program = self._program(self._kernel.btf, attached[0])
                attached.append(syscall.program_load(syscall.PROG_TYPE_RAW_TRACEPOINT, program, EVENT.encode()))
                attached.append(syscall.raw_attach(EVENT.encode(), attached[1]))
        except OSError as e:
            _close(attached)
            raise refused(f"the kernel refused the hook {EVENT}: {e.strerror}") from e
        self.forget()
        syscall.map_update(self.fd, 0, struct.pack("=QQ", cgroup, path.count(b"/")))
        self._attached = attached

    def forget(self) -> None:
        """See no more whether it is made again."""
        _close(self._attached)

    def close(self) -> None:
        """Free the map. Programs that use it keep it."""
        self.forget()
        with suppress(OSError):
            os.close(self.fd)

    def _program(self, offsets: dict[str, int], paths: int) -> bytes:
        """``cgroup_mkdir(group, path)``: the group is not in its folder yet, so no task can be in it."""
        apart = "HAS_PROBE_READ_USER" in self._kernel.helpers
        read, read_str = (_READ_KERNEL, _READ_KERNEL_STR) if apart else (_READ, _READ_STR)

        def load(base: int, offset: int, size: int = 8) -> bytes:
            """Put the field at the *offset* from the address in the register *base* into register 3."""
            return b"".join(
                (
                    instruction(MOVE_REGISTER, 3, base),
                    instruction(ADD, 3, value=offset),
                    instruction(MOVE, 2, value=size),
                    on_stack(1),
                    instruction(CALL, value=read),
                    instruction(LOAD_64 if size == 8 else LOAD_32, 3, FRAME, -8),
                )
            )

        store = b"".join(
            (
                load(_GROUP, offsets["CGROUP_KN"]),
                load(3, offsets["KERNFS_NODE_ID"]),
                instruction(MOVE_REGISTER, _GROUP, 3),
                load_map(1, self.fd),
                on_stack(2),
                instruction(CALL, value=_LOOKUP),
                instruction(JUMP_IF_EQUAL, 0, offset=1),
                instruction(STORE_64, 0, _GROUP),
            )
        )
        same_hierarchy = b"".join(
            (
                instruction(LOAD_64, _HIERARCHY, 0),
                load(_GROUP, offsets["CGROUP_ROOT"]),
                load(3, offsets["ROOT_HIERARCHY"], 4),
                instruction(JUMP_UNLESS_SAME, 3, _HIERARCHY, len(store) // 8),
            )
        )
        return b"".join(
            (
                instruction(LOAD_64, _GROUP, 1),
                instruction(LOAD_64, 3, 1, 8),
                *(instruction(STORE_NUMBER_64, FRAME, offset=at) for at in range(_KEY, 0, 8)),
                instruction(MOVE, 2, value=_ROOM),
                stack_address(1, _KEY),
                instruction(CALL, value=read_str),
                load_map(1, paths),
                stack_address(2, _KEY),
                instruction(CALL, value=_LOOKUP),
                instruction(JUMP_IF_EQUAL, 0, offset=len(same_hierarchy + store) // 8),
                same_hierarchy,
                store,
                instruction(MOVE, 0),
                instruction(EXIT),
            )
        )


def _close(attached: list[int]) -> None:
    while attached:
        os.close(attached.pop())


def refused(why: str) -> CannotTrace:
    """The error of a kernel on which no control group can be followed, and why."""
    return CannotTrace("units and containers cannot be followed", why, "`ringtop doctor` shows what this kernel lacks.")
