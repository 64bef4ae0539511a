"""What this machine offers a tracer, item by item: whether it is there, why not, and the exact cure."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ringtop.bpf.collector.costs import in_kernel
from ringtop.bpf.common import privilege
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.kernel import syscall
from ringtop.bpf.kernel.bcc_loader import import_bcc
from ringtop.bpf.kernel.features import TRACEFS, Kernel, ensure_tracefs
from ringtop.bpf.kernel.libbpf import NoLibbpf, libbpf
from ringtop.bpf.kernel.limits import allow_locked
from ringtop.bpf.kernel.loader import load
from ringtop.bpf.kernel.probe import PERF_CURE, no_perf_buffers
from ringtop.bpf.stream import FunctionCost, MapCost


@dataclass(frozen=True, slots=True)
class Finding:
    """The result for one item."""

    name: str
    ok: bool
    what: str
    """The version or state found, or why it is not ok."""
    cure: str = ""
    needed: bool = True
    """Whether the main job cannot run without it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """How a program would run."""

    program: str
    hook: str
    """The hook, empty when the program cannot run."""
    transport: str
    passed_over: list[str]
    """Better rungs of the ladder and their variants, each with why it cannot be used."""
    without: str = ""
    """What this way leaves out compared with the best one."""
    loader: str = ""
    """``core`` or ``bcc``."""
    no_core: str = ""
    """Why the loader is not ``core``."""
    functions: list[FunctionCost] = field(default_factory=list)
    """What the kernel tells of its functions, which have not run."""
    maps: list[MapCost] = field(default_factory=list)


def _no_rights() -> tuple[str, str]:
    """Why this process may not load programs, and the cure; both are empty where it may."""
    try:
        privilege.require()
    except CannotTrace as e:
        return e.why, e.cure.replace("…", "doctor")
    return "", ""


def _root() -> Finding:
    what = f"uid {os.geteuid()}, {', '.join(sorted(privilege.held())) or 'no capability that helps'}"
    why, cure = _no_rights()
    return Finding("root", not why, f"{what}: {why}" if why else what, cure)


def _bpf() -> Finding:
    try:
        os.close(syscall.map_create(2, 1, 4, 8, b"probe"))  # BPF_MAP_TYPE_ARRAY
    except OSError as e:
        cure = (_no_rights()[1] or "Run it as root.") if e.errno == 1 else "The kernel needs CONFIG_BPF_SYSCALL."
        return Finding("bpf(2)", False, f"the kernel refused to create a map: {e.strerror}", cure)
    return Finding("bpf(2)", True, "maps can be created")


def _libbpf() -> Finding:
    try:
        return Finding("libbpf", True, libbpf().version, needed=False)
    except NoLibbpf as e:
        cure = "Install libbpf1 (Debian, Ubuntu) or libbpf (Fedora, Arch)."
        return Finding("libbpf", False, str(e), cure, needed=False)


def _bcc(kernel: Kernel) -> Finding:
    needed = isinstance(kernel.btf, str)
    try:
        bcc = import_bcc()
    except CannotTrace as e:
        spared = "" if needed else "Not needed here: all programs are loaded by libbpf. For `ringtop bench`: "
        return Finding("bcc", False, e.why, spared + e.cure, needed)
    version = getattr(bcc, "__version__", "unknown version")
    return Finding("bcc", True, f"{version} from {Path(bcc.__file__).parent}", needed=needed)


def _tracefs() -> Finding:
    try:
        mounted = ensure_tracefs()
    except CannotTrace as e:
        return Finding("tracefs", False, e.why, e.cure, needed=False)  # runqslower can do without
    how = "was not mounted, and is mounted now" if mounted else "mounted"
    return Finding("tracefs", True, f"{how} at {TRACEFS}", needed=False)


def _ringbuf(kernel: Kernel) -> Finding:
    why = kernel.no_ringbuf
    if why:
        cure = _no_rights()[1] or "Nothing to do: perf buffers are used instead."
        return Finding("ring buffer", False, why, cure, needed=False)
    return Finding("ring buffer", True, "a map of one page was created", needed=False)


def _no_perf_buffers_later() -> str:
    """Why no perf buffers can be opened with the privileges that a collector keeps; a child process tries it."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            privilege.drop(privilege.to_read_events())
            os.write(write_end, no_perf_buffers().encode())
        finally:
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as told:
        why = told.read()
    os.waitpid(child, 0)
    return why


def _perf_buffers(kernel: Kernel) -> Finding:
    if kernel.silent_perf:
        why = "the kernel does not report to a program that a perf buffer was full"
        cure = "Nothing to do: ringtop counts such losses by the missing sequence numbers."
        return Finding("perf buffers", False, why, cure, needed=False)
    if why := _no_perf_buffers_later():
        return Finding("perf buffers", False, f"once root is given up: {why}", PERF_CURE, needed=False)
    return Finding("perf buffers", True, "the kernel reports to a program that a buffer was full", needed=False)


def _btf(kernel: Kernel) -> Finding:
    if isinstance(kernel.btf, str):
        cure = "Nothing to do if bcc is installed: it loads the programs, with hooks that need no BTF."
        return Finding("BTF", False, kernel.btf, cure, needed=False)
    return Finding("BTF", True, f"{len(kernel.btf)} offsets were read", needed=False)


def _kprobes(kernel: Kernel) -> Finding:
    why = kernel.no_kprobes
    cure = "Nothing to do: unlinksnoop uses syscall tracepoints." if why else ""
    return Finding("kprobes", not why, why or "available", cure, needed=False)


def _fentry() -> Finding:
    return Finding("fentry", True, "not used: the kernel skips events when tasks are preempted in it", needed=False)


def _pids(kernel: Kernel) -> Finding:
    cure = "Run it on the host, or in a container with the host's process ids." if kernel.inner_pids else ""
    return Finding("process ids", not cure, kernel.inner_pids or "the same as in the events", cure, needed=False)


def _lockdown(kernel: Kernel) -> Finding:
    state = kernel.lockdown
    if state == "confidentiality":
        cure = "Boot without lockdown=confidentiality: this mode forbids BPF programs to read kernel memory."
        return Finding("lockdown", False, state, cure)
    return Finding("lockdown", True, state or "this kernel has none")


def findings(kernel: Kernel) -> list[Finding]:
    """The findings for everything but the programs themselves."""
    allow_locked()
    version = Finding("kernel", True, f"{kernel.release}, pid_max {kernel.pid_max}")
    general = [version, _root(), _bpf(), _lockdown(kernel), _tracefs(), _libbpf(), _bcc(kernel)]
    return [*general, _ringbuf(kernel), _perf_buffers(kernel), _btf(kernel), _kprobes(kernel), _fentry(), _pids(kernel)]


def choices(kernel: Kernel) -> list[Choice]:
    """The hook and transport that each program would get. Each is loaded to see that, but not attached."""
    found = []
    transport = "perfbuf" if kernel.no_ringbuf else "ringbuf"
    for program in SCHEMAS:
        try:
            loaded = load(program, kernel, not kernel.no_ringbuf)
        except CannotTrace as e:
            found.append(Choice(program, "", transport, [e.why]))
            continue
        how = loaded.without, loaded.loader, loaded.no_core
        found.append(Choice(program, loaded.hook, transport, loaded.tried, *how, *in_kernel([loaded])))
        with suppress(Exception):
            loaded.close()
    return found


def examine() -> dict[str, Any]:
    """``{ok, findings: [Finding…], programs: [Choice…]}``. ``programs`` is empty where the findings do not allow
    loading. ``ok`` means that at least one program can run."""
    kernel = Kernel()
    items = findings(kernel)
    able = all(f.ok for f in items if f.needed)
    programs = choices(kernel) if able else []
    return {"ok": able and any(c.hook for c in programs), "findings": items, "programs": programs}
