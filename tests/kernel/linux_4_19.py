"""``python -m tests.kernel.linux_4_19 COMMAND…``: runs COMMAND where nothing can be called that came after Linux 4.19.

A seccomp filter gives 4.19's answers: ENOSYS to later system calls, EINVAL to later commands of bpf(2) and
membarrier(2) and to later options of prctl(2). Numbers: arch/x86/entry/syscalls/syscall_64.tbl,
include/uapi/asm-generic/unistd.h, include/uapi/linux/{bpf,membarrier,prctl}.h of 4.19.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

_CALLS = {  # the first number that 4.19 does not have; of bpf, membarrier, prctl
    "x86_64": (335, 321, 324, 157),
    "aarch64": (294, 280, 283, 167),
}
_LAST_BPF, _LAST_MEMBARRIER, _LAST_PRCTL = 20, 1 << 6, 53
_FIRST_NAMED_PRCTL = 0x1000
"""Options above this are words, such as PR_SET_PTRACER's, and older."""

_LOAD, _ABOVE, _EQUAL, _RETURN = 0x20, 0x25, 0x15, 0x06  # BPF_LD|W|ABS, JMP|JGT|K, JMP|JEQ|K, RET|K of linux/filter.h
_NUMBER, _FIRST_ARGUMENT = 0, 16  # offsets in struct seccomp_data, on a little-endian machine
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO
_PR_SET_SECCOMP, _FILTER = 22, 2


def _instruction(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("<HBBI", code, yes, no, value)


def _limit(call: int, last: int, named: int = 0xFFFFFFFF) -> list[bytes]:
    """EINVAL where the first argument of *call* is above *last* and not above *named*."""
    return [
        _instruction(_EQUAL, call, 0, 5),
        _instruction(_LOAD, _FIRST_ARGUMENT),
        _instruction(_ABOVE, last, 0, 2),
        _instruction(_ABOVE, named, 1, 0),
        _instruction(_RETURN, _FAIL | errno.EINVAL),
        _instruction(_RETURN, _ALLOW),
    ]


def _program() -> bytes:
    first_missing, bpf, membarrier, prctl = _CALLS[platform.machine()]
    return b"".join(
        [
            _instruction(_LOAD, _NUMBER),
            _instruction(_ABOVE, first_missing - 1, 0, 1),
            _instruction(_RETURN, _FAIL | errno.ENOSYS),
            *_limit(bpf, _LAST_BPF),
            *_limit(membarrier, _LAST_MEMBARRIER),
            *_limit(prctl, _LAST_PRCTL, _FIRST_NAMED_PRCTL),
            _instruction(_RETURN, _ALLOW),
        ]
    )


def main() -> None:
    code = ctypes.create_string_buffer(_program())
    program = struct.pack("HxxxxxxP", (len(code) - 1) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _FILTER, ctypes.c_char_p(program), 0, 0):
        sys.exit(f"the filter was refused: {os.strerror(ctypes.get_errno())}")
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
