"""Each program's ladder: the ways to attach it, cheapest and best-informed first, and what each needs of the kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.kernel.features import Kernel, online_cpus, possible_cpus

HookKind = Literal["raw tracepoint", "tracepoint", "kprobe", "kretprobe"]

_ALL = frozenset(f.name for f in SCHEMAS["execsnoop"].fields) | {"latency"}
_CLASSIC_SWITCH = _ALL - {"pid", "ppid", "uid", "cgroup"}


@dataclass(frozen=True, slots=True)
class Hook:
    """One attachment: the BPF *function* at *target*."""

    kind: HookKind
    target: str
    function: str


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to attach a program."""

    name: str
    hooks: tuple[Hook, ...]
    """In the order they are attached: exits before entries, so that what is seen to enter is seen to leave."""
    defines: dict[str, int | str]
    """Macros for the compiler."""
    knows: frozenset[str] = _ALL
    """Fields that the hooks can compare in the kernel."""
    missing: str = ""
    """Why this kernel cannot; empty when it can, as far as can be told without trying."""


def _raw(event: str, function: str) -> Hook:
    return Hook("raw tracepoint", event, function)


def _tracepoint(category: str, event: str, function: str) -> Hook:
    return Hook("tracepoint", f"{category}:{event}", function)


def _offsets(kernel: Kernel) -> tuple[dict[str, int | str], str]:
    """Macros with BTF offsets, and why there are none."""
    if isinstance(kernel.btf, str):
        return {}, kernel.btf
    return {"BTF_OFFSETS": 1, **kernel.btf}, ""


def _room() -> dict[str, int | str]:
    """Macros: how many calls on their way are remembered, and how many with their text (some KiB each). Before Linux
    6.16 each CPU keeps 128 entries of such a map for itself."""
    return {"CALLS": max(10_240, 256 * possible_cpus()), "TEXTS": max(1024, 160 * len(online_cpus()))}


def _runqslower(kernel: Kernel) -> list[Rung]:
    offsets, no_btf = _offsets(kernel)
    size: dict[str, int | str] = {"PID_MAX": kernel.pid_max}
    return [
        Rung(
            "raw tracepoints with BTF",
            (
                _raw("sched_wakeup", "on_wakeup"),
                _raw("sched_wakeup_new", "on_wakeup"),
                _raw("sched_switch", "on_switch"),
            ),
            size | offsets,
            missing=no_btf,
        ),
        Rung(
            "tracepoints",
            (
                _tracepoint("sched", "sched_wakeup", "on_wakeup"),
                _tracepoint("sched", "sched_wakeup_new", "on_wakeup_new"),
                _tracepoint("sched", "sched_switch", "on_switch"),
            ),
            size,
            _CLASSIC_SWITCH,
        ),
    ]


def _syscalls(kernel: Kernel, *names: str) -> tuple[tuple[Hook, ...], str]:
    hooks = tuple(
        _tracepoint("syscalls", f"sys_{when}_{name}", f"{when}_{name}") for when in ("exit", "enter") for name in names
    )
    lost = [h.target for h in hooks if not kernel.tracepoint(*h.target.split(":"))]
    return hooks, f"no tracepoint {lost[0]} (CONFIG_FTRACE_SYSCALLS)" if lost else ""


def _execsnoop(kernel: Kernel) -> list[Rung]:
    offsets, no_btf = _offsets(kernel)
    calls, no_calls = _syscalls(kernel, "execve", "execveat")
    enters = tuple(h for h in calls if "enter" in h.target)
    return [
        Rung(
            "raw tracepoint sched_process_exec with BTF, syscall tracepoints for failures",
            (_raw("sched_process_exec", "on_exec"), *calls),
            offsets | _room(),
            missing=no_btf or no_calls,
        ),
        Rung(
            "syscall tracepoints, arguments from the new stack",
            (_raw("sys_exit", "on_exit"), _tracepoint("sched", "sched_process_exec", "on_exec"), *enters),
            _room(),
            _ALL - {"ppid"},
            missing=no_calls,
        ),
    ]


# No fentry here, although it is cheaper than a kprobe: its programs can be preempted, and then the kernel skips the
# same program for other tasks on that CPU (recursion_misses), and different programs of one CPU interleave in its
# ledger. A kprobe runs to its end with preemption off: a little dearer, and every deletion is accounted for.
def _unlinksnoop(kernel: Kernel) -> list[Rung]:
    offsets, _ = _offsets(kernel)
    knows = _ALL if offsets else _ALL - {"ppid"}
    old = kernel.tracepoint("syscalls", "sys_enter_unlink")
    calls, no_calls = _syscalls(kernel, "unlinkat", *(("unlink", "rmdir") if old else ()))
    unlink = next((f for f in ("do_unlinkat", "filename_unlinkat") if f in kernel.functions), "")
    rmdir = next((f for f in ("do_rmdir", "filename_rmdir") if f in kernel.functions), "")
    no_function = "" if unlink and rmdir else "the kernel has no do_unlinkat and do_rmdir to probe"
    return [
        Rung(
            f"kprobes on {unlink} and {rmdir}",
            (
                Hook("kretprobe", unlink, "exit_any"),
                Hook("kretprobe", rmdir, "exit_any"),
                Hook("kprobe", unlink, "enter_unlink"),
                Hook("kprobe", rmdir, "enter_rmdir"),
            ),
            {**offsets, **_room(), "KERNEL_FUNCTIONS": 1},
            knows,
            missing=kernel.no_kprobes or no_function,
        ),
        Rung(
            "syscall tracepoints",
            calls,
            {**offsets, **_room(), **({"HAS_UNLINK": 1} if old else {})},
            knows,
            missing=no_calls,
        ),
    ]


_LADDERS = {"runqslower": _runqslower, "execsnoop": _execsnoop, "unlinksnoop": _unlinksnoop}


def ladder(program: str, kernel: Kernel) -> list[Rung]:
    """The rungs of *program*, best first."""
    return _LADDERS[program](kernel)
