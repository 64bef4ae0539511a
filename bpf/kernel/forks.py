"""Follows forks: each new task gets the mark FOLLOWED if the task that makes it has it, before it runs.

A task is a process or a thread. Its mark is written in every case, so it never has that of an earlier task of its id.
"""

from __future__ import annotations

import os
from contextlib import suppress

from ringtop.bpf.kernel import syscall
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.instructions import (
    ADD_REGISTER,
    AND,
    CALL,
    EXIT,
    FRAME,
    JUMP_IF_EQUAL,
    LOAD_8,
    LOAD_32,
    MOVE,
    MOVE_REGISTER,
    MOVE_REGISTER_32,
    SHIFT_RIGHT,
    STORE_8,
    STORE_32,
    instruction,
    load_map,
    stack_address,
)
from ringtop.bpf.kernel.marks import FOLLOWED, Marks
from ringtop.bpf.kernel.newtask import CURRENT, EVENT, NEW, NewTask

_LOOKUP = 1
"""Helper bpf_map_lookup_elem."""
_TASK, _MARK = 6, 7
"""Registers that a call keeps: a task's id, and the mark to be written."""
_AT = -16
"""Place in the stack: the key of a lookup."""


class Forks:
    """The hook, for the *marks*. It is attached only while something is followed. Raises CannotTrace where the kernel
    has no such hook."""

    def __init__(self, kernel: Kernel, marks: Marks) -> None:
        self._marks = marks
        self._attached: list[int] = []
        """File descriptors of the program and of its attachment."""
        self._hook = NewTask(kernel)

    @property
    def hooks(self) -> dict[str, int]:
        """The program's file descriptor by the name of its hook, while it is attached."""
        return {EVENT: self._attached[0]} if self._attached else {}

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
                self._hook.find,
                instruction(CALL, value=CURRENT),
                instruction(MOVE_REGISTER_32, _TASK, 0),  # the lower half: the thread
                instruction(MOVE, _MARK),
                self._find_mark(absent=2),
                instruction(LOAD_8, _MARK, 0),
                instruction(AND, _MARK, value=FOLLOWED),
                instruction(LOAD_32, _TASK, FRAME, NEW),
                self._find_mark(absent=1),
                instruction(STORE_8, 0, _MARK),
                instruction(MOVE, 0),
                instruction(EXIT),
            )
        )

    def attach(self) -> None:
        """Follow from now on. Raises CannotTrace."""
        self._attached = self._hook.attach(self._program())

    def detach(self) -> None:
        """Follow no more. Returns when the runs that had begun have ended."""
        if not self._attached:
            return
        while self._attached:
            os.close(self._attached.pop())
        with suppress(OSError):
            syscall.wait_for_programs()
