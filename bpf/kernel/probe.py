"""The abilities of the kernel's BPF helpers: programs of a few instructions try them, and nothing is concluded from a
version.

Instructions: Documentation/bpf/standardization/instruction-set.rst; numbers: include/uapi/linux/bpf.h.
"""

from __future__ import annotations

import errno
import os
import struct
from contextlib import ExitStack
from pathlib import Path

from ringtop.bpf.kernel import syscall

_HELPERS = {"HAS_CGROUP_ID": 80, "HAS_PROBE_READ_USER": 112}
"""Helpers by the macro that announces them to the programs: bpf_get_current_cgroup_id, and bpf_probe_read_user (which
came together with the other three of bpf_probe_read_{user,kernel}{,_str})."""
_PERF_EVENT_OUTPUT = 25
_CURRENT_TASK_BTF, _TASK_REGISTERS = 158, 175
"""bpf_get_current_task_btf and bpf_task_pt_regs."""

_ADD, _MOVE, _MOVE_32, _MOVE_REGISTER, _LOAD_64, _STORE_64, _CALL, _EXIT = (
    0x07,
    0xB7,
    0xB4,
    0xBF,
    0x18,
    0x7A,
    0x85,
    0x95,
)
_FRAME = 10
"""The register that points behind the stack."""
_PSEUDO_MAP_FD = 1


def _instruction(code: int, target: int = 0, source: int = 0, offset: int = 0, value: int = 0) -> bytes:
    return struct.pack("<BBhi", code, source << 4 | target, offset, value)


def _on_stack(register: int) -> bytes:
    """Instructions that point *register* at 8 bytes of the stack, set to 0."""
    return b"".join(
        (
            _instruction(_STORE_64, _FRAME, offset=-8),
            _instruction(_MOVE_REGISTER, register, _FRAME),
            _instruction(_ADD, register, value=-8),
        )
    )


def helpers() -> dict[str, int]:
    """A macro for each helper that this kernel has and that older kernels may lack."""
    return {macro: 1 for macro, number in _HELPERS.items() if _has(number)}


def task_registers() -> bool:
    """Whether a program at a tracepoint can find the registers of the current task."""
    return _accepted(
        _instruction(_CALL, value=_CURRENT_TASK_BTF),
        _instruction(_MOVE_REGISTER, 1, 0),
        _instruction(_CALL, value=_TASK_REGISTERS),
        _instruction(_MOVE, 0),
        _instruction(_EXIT),
    )


def _has(helper: int) -> bool:
    return _accepted(
        _on_stack(1),  # what to fill, how much, from where; for those that ask for anything
        _instruction(_MOVE, 2, value=8),
        _instruction(_MOVE, 3),
        _instruction(_CALL, value=helper),
        _instruction(_MOVE, 0),
        _instruction(_EXIT),
    )


def _accepted(*program: bytes) -> bool:
    """Whether the kernel loads the instructions as a program for a tracepoint."""
    try:
        os.close(syscall.program_load(syscall.PROG_TYPE_TRACEPOINT, b"".join(program)))
    except OSError:
        return False
    return True


def perf_output_without_room() -> int | None:
    """The return value of bpf_perf_event_output for an event that finds no room: -ENOSPC, or 0 on kernels that do not
    report it. None where it cannot be tried.

    A perf event without a buffer has room for nothing. The program is one for packets, because the kernel runs those on
    request; all kinds of programs share the code that follows (__bpf_perf_event_output in kernel/trace/bpf_trace.c).
    """
    allowed = os.sched_getaffinity(0)
    cpu = min(allowed)
    try:
        with ExitStack() as stack:
            events = syscall.map_create(syscall.MAP_TYPE_PERF_EVENT_ARRAY, cpu + 1, 4, 4, b"probe")
            stack.callback(os.close, events)
            event = syscall.perf_open(cpu, watermark=False, wakeup=1)
            stack.callback(os.close, event)
            syscall.map_put(events, cpu, event)
            program = (
                _instruction(_LOAD_64, 2, _PSEUDO_MAP_FD, value=events) + bytes(8),
                _instruction(_MOVE_32, 3, value=-1),  # BPF_F_CURRENT_CPU
                _on_stack(4),
                _instruction(_MOVE, 5, value=8),
                _instruction(_CALL, value=_PERF_EVENT_OUTPUT),
                _instruction(_EXIT),
            )
            loaded = syscall.program_load(syscall.PROG_TYPE_SCHED_CLS, b"".join(program))
            stack.callback(os.close, loaded)
            os.sched_setaffinity(0, {cpu})
            stack.callback(os.sched_setaffinity, 0, allowed)
            return syscall.program_run(loaded)
    except OSError:
        return None


def no_perf_buffers() -> str:
    """Why this process may not open perf buffers with the capabilities it has now; empty when it may.

    Distributions (Debian, Ubuntu) have a patch by which from some level of kernel.perf_event_paranoid on only
    CAP_SYS_ADMIN does.
    """
    try:
        os.close(syscall.perf_open(min(os.sched_getaffinity(0)), watermark=False, wakeup=1))
    except OSError as e:
        if e.errno in (errno.EACCES, errno.EPERM):
            level = Path("/proc/sys/kernel/perf_event_paranoid").read_text().strip()
            return f"this kernel lets only root open perf events (kernel.perf_event_paranoid is {level})"
    return ""


PERF_CURE = "To allow it: sysctl kernel.perf_event_paranoid=2. Or begin with perf buffers: --transport perfbuf."
"""The cure where ``no_perf_buffers`` has a reason."""
