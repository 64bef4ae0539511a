"""The ladder of each program: the ways to attach it, cheapest and best-informed first, and what each needs of the
kernel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ringtop.bpf.filter.capture import KNOWN
from ringtop.bpf.kernel.features import Kernel, online_cpus, possible_cpus

HookKind = Literal["BTF tracepoint", "raw tracepoint", "tracepoint", "kprobe", "kretprobe"]

_CLASSIC_SWITCH = KNOWN - {"pid", "ppid", "uid"}


@dataclass(frozen=True, slots=True)
class Hook:
    """One attachment: the BPF *function* at *target*."""

    kind: HookKind
    target: str
    function: str


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to compile a program for its rung. Verifiers differ in what they accept, so the variants are tried."""

    name: str = ""
    defines: dict[str, int] = field(default_factory=dict)
    """Macros for the compiler. An object compiled beforehand is the variant without any."""
    without: str = ""
    """What it leaves out compared with the best variant."""
    parameters: dict[str, int] = field(default_factory=dict)
    """Values of the variables that the program declares as PARAMETER, beside the rung's."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to attach a program."""

    name: str
    hooks: tuple[Hook, ...]
    """Hooks in the order they are attached: exits before entries, so that every call seen to enter is seen to
    return."""
    defines: dict[str, int]
    """Macros for bcc's compiler."""
    failures: tuple[Hook, ...] = ()
    """Those of the hooks that see nothing but calls that fail. They are attached only while failures are wanted."""
    parameters: dict[str, int] = field(default_factory=dict)
    """Values of the variables that the program declares as PARAMETER."""
    entries: dict[str, int] = field(default_factory=dict)
    """Number of entries of those maps whose size the program does not fix."""
    base: str = ""
    """The name while the hooks for failures are not attached."""
    object: str = ""
    """Name of the object compiled for it; empty where there is none."""
    knows: frozenset[str] = KNOWN
    """Fields that the hooks can compare in the kernel."""
    missing: str = ""
    """Why this kernel cannot use it; empty when it can, as far as is known without trying."""
    without: str = ""
    """What it leaves out compared with the best rung."""
    variants: tuple[Variant, ...] = (Variant(),)
    """Variants, best first: where the verifier refuses one, the next is tried."""
    doubtful: bool = False
    """Whether the arguments of its hooks are unknown, because they are kernel functions: the rung is tried before
    use."""

    @property
    def knows_groups(self) -> bool:
        """Whether the hooks can tell which control group a task is in."""
        return "BTF_OFFSETS" in self.defines


def _raw(event: str, function: str) -> Hook:
    return Hook("raw tracepoint", event, function)


def _tracepoint(category: str, event: str, function: str) -> Hook:
    return Hook("tracepoint", f"{category}:{event}", function)


def _offsets(kernel: Kernel) -> tuple[dict[str, int], str]:
    """Macros with BTF offsets, and why there are none (empty when there are)."""
    if isinstance(kernel.btf, str):
        return {}, kernel.btf
    return {"BTF_OFFSETS": 1, **kernel.btf}, ""


FOLLOW_FORKS = "FOLLOW_FORKS"
"""Macro: the program has a map ``parents``, which needs the parents of the processes that exist already."""

_FORKS = (
    _tracepoint("task", "task_newtask", "on_fork"),
    _tracepoint("sched", "sched_process_exit", "on_task_exit"),
)
_NO_ORPHANS = "the parent of a process whose first parent has ended, unless /proc still has it"


def _parents(offsets: dict[str, int]) -> tuple[tuple[Hook, ...], dict[str, int], str]:
    """Hooks and macros by which parents are known, and what they leave out."""
    return ((), offsets, "") if offsets else (_FORKS, {FOLLOW_FORKS: 1}, _NO_ORPHANS)


# An LRU map gets more entries than will be needed: before Linux 6.16 each CPU keeps 128 of them for itself.
def _calls() -> int:
    """Number of calls in flight that are remembered."""
    return max(10_240, 256 * possible_cpus())


def _texts() -> int:
    """Number of calls in flight that are remembered with their text, which takes some KiB each."""
    return max(1024, 160 * len(online_cpus()))


def _paths() -> int:
    """Number of deletions in flight that are remembered with their path, in 4.1 KiB each: 1.0 MiB on up to 8 CPUs,
    and 131 KiB for each CPU beyond. They belong to the CPUs, so that none is held in reserve. Kretprobes follow
    2 * max(10, 2 * CPUs) calls of the two functions (register_kretprobe in kernel/kprobes.c)."""
    return max(256, 32 * possible_cpus())


def _threaded() -> int:
    """Number of processes with several threads of which it is remembered that they ended."""
    return 256 * possible_cpus()


def _runqslower(kernel: Kernel) -> list[Rung]:
    offsets, no_btf = _offsets(kernel)
    entries = {"runnable_since": kernel.pid_max, "moved": max(1024, 256 * possible_cpus())}
    state = {"SWITCH_HAS_PREV_STATE": offsets.get("SWITCH_HAS_PREV_STATE", 0)}
    kinds: tuple[tuple[str, HookKind, int], ...] = (
        ("BTF tracepoints", "BTF tracepoint", 1),
        ("raw tracepoints with BTF", "raw tracepoint", 0),
    )
    return [
        *(
            Rung(
                name,
                (
                    Hook(kind, "sched_wakeup", "on_wakeup"),
                    Hook(kind, "sched_wakeup_new", "on_wakeup_new"),
                    Hook(kind, "sched_migrate_task", "on_migrate"),
                    Hook(kind, "sched_switch", "on_switch"),
                ),
                offsets,
                parameters=state | {"TYPED": typed},
                entries=entries,
                object="runqslower",
                missing=no_btf,
            )
            for name, kind, typed in kinds
        ),
        Rung(
            "tracepoints",
            (
                _tracepoint("sched", "sched_wakeup", "on_wakeup"),
                _tracepoint("sched", "sched_wakeup_new", "on_wakeup_new"),
                _tracepoint("sched", "sched_migrate_task", "on_migrate"),
                _tracepoint("sched", "sched_switch", "on_switch"),
            ),
            {},
            entries=entries,
            knows=_CLASSIC_SWITCH,
            without="process, parent, user and cgroup of a thread, unless /proc still has them",
        ),
    ]


_EXITS_ONLY = "EXITS_ONLY"
"""Parameter: a program for system calls reads their arguments at the exits."""


def _syscalls(kernel: Kernel, *names: str) -> tuple[tuple[Hook, ...], tuple[Hook, ...], str]:
    """The exits of system calls; exits and entries; and why they cannot be hooked (empty when they can)."""
    hooks = tuple(
        _tracepoint("syscalls", f"sys_{when}_{name}", f"{when}_{name}") for when in ("exit", "enter") for name in names
    )
    missing = [why for h in hooks if (why := kernel.no_tracepoint(*h.target.split(":")))]
    return hooks[: len(names)], hooks, missing[0] if missing else ""


_LOOPS = (
    Variant("loops"),
    Variant("unrolled", {"UNROLL": 1}),
    Variant("unrolled, 20 arguments", {"UNROLL": 1, "FAILED_ARGS": 20}, "more than 20 arguments of an exec that fails"),
)
"""Variants for verifiers that accept no loops, or only so many instructions."""


FULL_PATHS = "full paths"
"""Name of a variant that finds where a path starts."""


def _full_paths(kernel: Kernel) -> tuple[dict[str, int], tuple[Variant, ...]]:
    """Macros by which full paths are found, and the variants with them and without."""
    as_given = Variant("paths as given", {}, "the directory of a relative path", {"FULL_PATHS": 0})
    if isinstance(kernel.places, str):
        return {}, (as_given,)
    return {"HAS_PLACES": 1, **kernel.places}, (Variant(FULL_PATHS, parameters={"FULL_PATHS": 1}), as_given)


def _execsnoop(kernel: Kernel) -> list[Rung]:
    offsets, no_btf = _offsets(kernel)
    exits, calls, no_calls = _syscalls(kernel, "execve", "execveat")
    forks, defines, no_orphans = _parents({})
    starts, on_exec = "raw tracepoint sched_process_exec with BTF", _raw("sched_process_exec", "on_exec")
    return [
        Rung(
            f"{starts}, syscall exit tracepoints for failures",
            (on_exec, *exits),
            offsets,
            exits,
            parameters={_EXITS_ONLY: 1},
            entries={"requests": 1},
            base=starts,
            object="execsnoop",
            missing=no_btf or no_calls or kernel.no_call_registers,
            variants=_LOOPS,
        ),
        Rung(
            f"{starts}, syscall tracepoints for failures",
            (on_exec, *calls),
            offsets,
            calls,
            parameters={_EXITS_ONLY: 0},
            entries={"requests": _calls()},
            base=starts,
            object="execsnoop",
            missing=no_btf or no_calls,
            variants=_LOOPS,
        ),
        Rung(
            "syscall tracepoints, arguments from the new stack",
            (*forks, _raw("sys_exit", "on_exit"), _tracepoint("sched", "sched_process_exec", "on_exec"), *calls[2:]),
            defines,
            parameters={_EXITS_ONLY: 0},
            entries={"requests": _calls(), "new_programs": _texts(), "parents": 4 * _calls()},
            missing=no_calls,
            without=no_orphans,
            variants=_LOOPS,
        ),
        Rung(
            starts,
            (on_exec,),
            offsets,
            parameters={_EXITS_ONLY: 1},
            entries={"requests": 1},
            object="execsnoop",
            missing=no_btf,
            without=f"execs that fail: {no_calls}",
            variants=_LOOPS,
        ),
    ]


# No fentry here, although it is cheaper than a kprobe: its programs can be preempted, and then the kernel skips the
# same program for other tasks on that CPU (recursion_misses), and different programs of one CPU interleave in its
# ledger. A kprobe runs to its end with preemption off: a little dearer, and every deletion is accounted for.
def _unlinksnoop(kernel: Kernel) -> list[Rung]:
    offsets, no_btf = _offsets(kernel)
    forks, defines, no_orphans = _parents(offsets)
    parents = {"parents": 4 * _calls()} if forks else {}
    places, full_paths = _full_paths(kernel)
    defines, offsets = defines | places, offsets | places
    old = kernel.tracepoint("syscalls", "sys_enter_unlink")
    exits, calls, no_calls = _syscalls(kernel, "unlinkat", *(("unlink", "rmdir") if old else ()))
    by_call = {"HAS_UNLINK": 1} if old else {}
    unlink = next((f for f in ("do_unlinkat", "filename_unlinkat") if f in kernel.functions), "")
    rmdir = next((f for f in ("do_rmdir", "filename_rmdir") if f in kernel.functions), "")
    no_uring = "deletions through io_uring" if kernel.tracepoint("io_uring", "io_uring_create") else ""
    no_function = "" if unlink and rmdir else "the kernel has no functions do_unlinkat and do_rmdir to probe"
    return [
        Rung(
            f"kprobes on {unlink or 'do_unlinkat'} and {rmdir or 'do_rmdir'}",
            (
                *forks,
                Hook("kretprobe", unlink, "exit_any"),
                Hook("kretprobe", rmdir, "exit_any"),
                Hook("kprobe", unlink, "enter_unlink"),
                Hook("kprobe", rmdir, "enter_rmdir"),
            ),
            defines | {"KERNEL_FUNCTIONS": 1},
            entries={"requests": _paths()} | parents,
            object="unlinksnoop-kprobes",
            missing=kernel.no_kprobes or no_function,
            without=no_orphans,
            variants=full_paths,
            doubtful=not {unlink, rmdir} <= kernel.takes_filename,
        ),
        Rung(
            "syscall exit tracepoints",
            exits,
            offsets | by_call,
            parameters={_EXITS_ONLY: 1},
            entries={"requests": 1},
            object="unlinksnoop-syscalls",
            missing=no_btf or no_calls or kernel.no_call_registers,
            without=no_uring,
            variants=full_paths,
        ),
        Rung(
            "syscall tracepoints",
            (*forks, *calls),
            defines | by_call,
            parameters={_EXITS_ONLY: 0},
            entries={"requests": _calls()} | parents,
            object="unlinksnoop-syscalls",
            missing=no_calls,
            without="; ".join(filter(None, (no_orphans, no_uring))),
            variants=full_paths,
        ),
    ]


def _exitsnoop(kernel: Kernel) -> list[Rung]:
    offsets, no_btf = _offsets(kernel)
    return [
        Rung(
            "raw tracepoints with BTF",
            (_raw("sched_process_exec", "on_exec"), _raw("sched_process_exit", "on_exit")),
            offsets,
            entries={"exec_at": kernel.pid_max, "ended": _threaded()},
            object="exitsnoop",
            missing=no_btf,
        )
    ]


_LADDERS = {
    "runqslower": _runqslower,
    "execsnoop": _execsnoop,
    "unlinksnoop": _unlinksnoop,
    "exitsnoop": _exitsnoop,
}


def ladder(program: str, kernel: Kernel) -> list[Rung]:
    """The rungs of *program*, best first."""
    return _LADDERS[program](kernel)
