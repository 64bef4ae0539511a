"""The control group whose events are wanted, and the hook that sees when it is made again, as that of a unit is that
is restarted: it is another one then, with another id."""

from __future__ import annotations

import os
import struct

from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.kernel import syscall
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.instructions import (
    CALL,
    EXIT,
    FRAME,
    JUMP_IF_EQUAL,
    LOAD_64,
    MOVE,
    STORE_64,
    instruction,
    load_map,
    on_stack,
    stack_address,
)
from ringtop.bpf.kernel.limits import allow_locked
from ringtop.bpf.kernel.newgroup import EVENT, ID, PATH, ROOM, NewGroup, refused

_LOOKUP = 1
"""Helper bpf_map_lookup_elem."""


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
        """Want the control group with this id, and the one that is made at this path after it, if that is not too
        long. Raises CannotTrace, and then everything stays as it is."""
        hook = NewGroup(self._kernel)
        attached: list[int] = []
        try:
            if len(path) < ROOM:
                attached.append(syscall.map_create(syscall.MAP_TYPE_HASH, 1, ROOM, 4, b"scope_path"))
                syscall.map_enter(attached[0], path.ljust(ROOM, b"\0"), bytes(4))
                attached += hook.attach(self._program(hook, attached[0]))
        except OSError as e:
            _close(attached)
            raise refused(f"the kernel refused a map: {e.strerror}") from e
        except CannotTrace:
            _close(attached)
            raise
        self.forget()
        syscall.map_update(self.fd, 0, struct.pack("=QQ", cgroup, path.count(b"/")))
        self._attached = attached

    def forget(self) -> None:
        """See no more whether it is made again."""
        _close(self._attached)

    def close(self) -> None:
        """Free the map. Programs that use it keep it."""
        self.forget()
        os.close(self.fd)

    def _program(self, hook: NewGroup, paths: int) -> bytes:
        store = b"".join(
            (
                load_map(1, self.fd),
                on_stack(2),
                instruction(CALL, value=_LOOKUP),
                instruction(JUMP_IF_EQUAL, 0, offset=2),
                instruction(LOAD_64, 2, FRAME, ID),
                instruction(STORE_64, 0, 2),
            )
        )
        found = b"".join(
            (
                load_map(1, paths),
                stack_address(2, PATH),
                instruction(CALL, value=_LOOKUP),
                instruction(JUMP_IF_EQUAL, 0, offset=len(store) // 8),
                store,
            )
        )
        return hook.find(len(found) // 8) + found + instruction(MOVE, 0) + instruction(EXIT)


def _close(attached: list[int]) -> None:
    while attached:
        os.close(attached.pop())
