"""The abilities of the kernel's BPF helpers: programs of a few instructions try them, and nothing is concluded from a
version.

Their numbers: include/uapi/linux/bpf.h.
"""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack
from pathlib import Path

from ringtop.bpf.kernel import syscall
from ringtop.bpf.kernel.instructions import (
    CALL,
    EXIT,
    MOVE,
    MOVE_32,
    MOVE_REGISTER,
    instruction,
    load_map,
    on_stack,
)

_HELPERS = {"HAS_CGROUP_ID": 80, "HAS_PROBE_READ_USER": 112}
"""Helpers by the macro that announces them to the programs: bpf_get_current_cgroup_id, and bpf_probe_read_user (which
came together with the other three of bpf_probe_read_{user,kernel}{,_str})."""
_PERF_EVENT_OUTPUT = 25
_CURRENT_TASK_BTF, _TASK_REGISTERS = 158, 175
"""bpf_get_current_task_btf and bpf_task_pt_regs."""


def helpers() -> dict[str, int]:
    """A macro for each helper that this kernel has and that older kernels may lack."""
    return {macro: 1 for macro, number in _HELPERS.items() if _has(number)}


def task_registers() -> bool:
    """Whether a program at a tracepoint can find the registers of the current task."""
    return _accepted(
        instruction(CALL, value=_CURRENT_TASK_BTF),
        instruction(MOVE_REGISTER, 1, 0),
        instruction(CALL, value=_TASK_REGISTERS),
        instruction(MOVE, 0),
        instruction(EXIT),
    )


def _has(helper: int) -> bool:
    return _accepted(
        on_stack(1),  # what to fill, how much, from where; for those that ask for anything
        instruction(MOVE, 2, value=8),
        instruction(MOVE, 3),
        instruction(CALL, value=helper),
        instruction(MOVE, 0),
        instruction(EXIT),
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
                load_map(2, events),
                instruction(MOVE_32, 3, value=-1),  # BPF_F_CURRENT_CPU
                on_stack(4),
                instruction(MOVE, 5, value=8),
                instruction(CALL, value=_PERF_EVENT_OUTPUT),
                instruction(EXIT),
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
