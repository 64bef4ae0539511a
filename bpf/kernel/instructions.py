"""BPF instructions, for programs of a few of them that need no compiler.

Encoding: Documentation/bpf/standardization/instruction-set.rst; helpers: include/uapi/linux/bpf.h.
"""

from __future__ import annotations

import struct

ADD, AND, SHIFT_RIGHT, MOVE, MOVE_32 = 0x07, 0x57, 0x77, 0xB7, 0xB4
"""Operations on a register and a number."""
ADD_REGISTER, MOVE_REGISTER, MOVE_REGISTER_32 = 0x0F, 0xBF, 0xBC
"""Operations on two registers."""
LOAD_NUMBER, LOAD_8, LOAD_32, LOAD_64 = 0x18, 0x71, 0x61, 0x79
STORE_8, STORE_32, STORE_64, STORE_NUMBER_64 = 0x73, 0x63, 0x7B, 0x7A
JUMP_IF_EQUAL, JUMP_UNLESS, CALL, EXIT = 0x15, 0x55, 0x85, 0x95
FRAME = 10
"""The register that points behind the stack."""
_PSEUDO_MAP_FD = 1


def instruction(code: int, target: int = 0, source: int = 0, offset: int = 0, value: int = 0) -> bytes:
    """One instruction."""
    return struct.pack("<BBhi", code, source << 4 | target, offset, value)


def load_map(target: int, fd: int) -> bytes:
    """The instruction, as long as two, that loads the map with the file descriptor *fd*."""
    return instruction(LOAD_NUMBER, target, _PSEUDO_MAP_FD, value=fd) + bytes(8)


def stack_address(target: int, offset: int) -> bytes:
    """Instructions that point the register *target* at an *offset* in the stack."""
    return instruction(MOVE_REGISTER, target, FRAME) + instruction(ADD, target, value=offset)


def on_stack(target: int) -> bytes:
    """Instructions that point the register *target* at 8 bytes of the stack, set to 0."""
    return instruction(STORE_NUMBER_64, FRAME, offset=-8) + stack_address(target, -8)
