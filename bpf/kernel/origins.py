"""Keeps who forked each process: its id, and its name at that time. It may have ended since."""

from __future__ import annotations

import os

from ringtop.bpf.kernel import syscall
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.instructions import (
    AND,
    CALL,
    EXIT,
    FRAME,
    JUMP_IF_EQUAL,
    MOVE,
    SHIFT_RIGHT,
    STORE_32,
    instruction,
    load_map,
    stack_address,
)
from ringtop.bpf.kernel.limits import allow_locked
from ringtop.bpf.kernel.newtask import CURRENT, EVENT, NEW, NewTask

_CLONE_THREAD = 0x10000
"""include/uapi/linux/sched.h"""
_UPDATE, _COMM = 2, 16
"""Helpers: bpf_map_update_elem and _get_current_comm."""
_ORIGIN = -32
"""Place in the stack: ``struct origin`` of ringtop.h."""
_COMM_BYTES, _ORIGIN_BYTES = 16, 20


class Origins:
    """The map, which all programs share, and the hook that fills it: of what was forked before it is attached, nobody
    knows. *entries* is the number of processes that are kept. Raises OSError."""

    def __init__(self, entries: int = 10_240) -> None:
        allow_locked()
        self.fd = syscall.map_create(syscall.MAP_TYPE_LRU_HASH, entries, 4, _ORIGIN_BYTES, b"origins")
        self._attached: list[int] = []
        """File descriptors of the program and of its attachment."""

    @property
    def hooks(self) -> dict[str, int]:
        """The program's file descriptor by the name of its hook, while it is attached."""
        return {f"{EVENT} (origins)": self._attached[0]} if self._attached else {}

    def attach(self, kernel: Kernel) -> None:
        """Follow forks from now on. Raises CannotTrace."""
        hook = NewTask(kernel)
        program = b"".join(
            (
                hook.flags,
                instruction(AND, 2, value=_CLONE_THREAD),
                instruction(JUMP_IF_EQUAL, 2, offset=2),
                instruction(MOVE, 0),
                instruction(EXIT),
                hook.find,
                instruction(CALL, value=CURRENT),
                instruction(SHIFT_RIGHT, 0, value=32),  # the upper half: the process
                instruction(STORE_32, FRAME, 0, _ORIGIN),
                stack_address(1, _ORIGIN + 4),
                instruction(MOVE, 2, value=_COMM_BYTES),
                instruction(CALL, value=_COMM),
                load_map(1, self.fd),
                stack_address(2, NEW),
                stack_address(3, _ORIGIN),
                instruction(MOVE, 4),
                instruction(CALL, value=_UPDATE),
                instruction(MOVE, 0),
                instruction(EXIT),
            )
        )
        self._attached = hook.attach(program)

    def close(self) -> None:
        """Follow no more, and free the map. Programs that use it keep it."""
        while self._attached:
            os.close(self._attached.pop())
        os.close(self.fd)
