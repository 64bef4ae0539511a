"""The paths of control groups that are made while ringtop runs: also one that is gone in a moment has a name."""

from __future__ import annotations

import os
import struct

from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.kernel import syscall
from ringtop.bpf.kernel.features import Kernel, possible_cpus
from ringtop.bpf.kernel.instructions import CALL, EXIT, MOVE, instruction, load_map, stack_address
from ringtop.bpf.kernel.limits import allow_locked
from ringtop.bpf.kernel.newgroup import EVENT, ID, PATH, ROOM, NewGroup, refused

_UPDATE = 2
"""Helper bpf_map_update_elem."""


class MadeGroups:
    """The map of paths by id, which the hook fills from now on. Raises CannotTrace."""

    def __init__(self, kernel: Kernel) -> None:
        hook = NewGroup(kernel)
        allow_locked()
        entries = max(1024, 256 * possible_cpus())  # before 6.16 each CPU keeps 128 for itself
        try:
            self._fd = syscall.map_create(syscall.MAP_TYPE_LRU_HASH, entries, 8, ROOM, b"made_groups")
        except OSError as e:
            raise refused(f"the kernel refused a map: {e.strerror}") from e
        program = b"".join(
            (
                load_map(1, self._fd),
                stack_address(2, ID),
                stack_address(3, PATH),
                instruction(MOVE, 4),
                instruction(CALL, value=_UPDATE),
            )
        )
        try:
            self._attached = hook.attach(
                hook.find(len(program) // 8) + program + instruction(MOVE, 0) + instruction(EXIT)
            )
        except CannotTrace:
            os.close(self._fd)
            raise

    @property
    def hooks(self) -> dict[str, int]:
        """The program's file descriptor by the name of its hook."""
        return {f"{EVENT} (names)": self._attached[0]}

    def path(self, cgroup: int) -> bytes:
        """The path of the control group with this id; empty where it was not seen."""
        try:
            found = syscall.map_find(self._fd, struct.pack("=Q", cgroup), ROOM)
        except OSError:
            return b""
        path = found.rstrip(b"\0")
        return path if len(path) < ROOM - 1 else b""  # it may have been cut
