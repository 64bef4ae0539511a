"""The features of the running kernel. The kernel itself is asked; nothing is concluded from its version."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ringtop.bpf.common import pids
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.kernel import hierarchy, probe, syscall
from ringtop.bpf.kernel.btf import BTF, NoBTF, vmlinux
from ringtop.bpf.kernel.hierarchy import Hierarchy
from ringtop.bpf.kernel.limits import allow_locked

TRACEFS = Path("/sys/kernel/tracing")
_DEBUGFS_TRACING = Path("/sys/kernel/debug/tracing")

_OFFSETS = {  # macro: struct and the names the field has had
    "TASK_PID": ("task_struct", "pid"),
    "TASK_TGID": ("task_struct", "tgid"),
    "TASK_STATE": ("task_struct", "__state", "state"),
    "TASK_COMM": ("task_struct", "comm"),
    "TASK_REAL_PARENT": ("task_struct", "real_parent"),
    "TASK_LEADER": ("task_struct", "group_leader"),
    "TASK_START": ("task_struct", "start_time"),
    "TASK_EXIT_CODE": ("task_struct", "exit_code"),
    "TASK_SIGNAL": ("task_struct", "signal"),
    "TASK_CRED": ("task_struct", "cred"),
    "TASK_CGROUPS": ("task_struct", "cgroups"),
    "TASK_MM": ("task_struct", "mm"),
    "SIGNAL_LIVE": ("signal_struct", "live"),
    "SIGNAL_THREADS": ("signal_struct", "nr_threads"),
    "SIGNAL_FLAGS": ("signal_struct", "flags"),
    "SIGNAL_EXIT_CODE": ("signal_struct", "group_exit_code"),
    "CRED_UID": ("cred", "uid"),
    "CSS_SET_DFL_CGRP": ("css_set", "dfl_cgrp"),
    "CSS_SET_SUBSYS": ("css_set", "subsys"),
    "CSS_CGROUP": ("cgroup_subsys_state", "cgroup"),
    "CGROUP_LEVEL": ("cgroup", "level"),
    "CGROUP_KN": ("cgroup", "kn"),
    "CGROUP_ROOT": ("cgroup", "root"),
    "ROOT_HIERARCHY": ("cgroup_root", "hierarchy_id"),
    "CGROUP_ANCESTORS": ("cgroup", "ancestors", "ancestor_ids"),
    "KERNFS_NODE_ID": ("kernfs_node", "id"),
    "MM_ARG_START": ("mm_struct", "arg_start"),
    "MM_ARG_END": ("mm_struct", "arg_end"),
    "BPRM_FILENAME": ("linux_binprm", "filename"),
    "BPRM_ARGC": ("linux_binprm", "argc"),
}
_PLACES = {  # the same, of what leads from a task to the names of a directory
    "TASK_FS": ("task_struct", "fs"),
    "TASK_FILES": ("task_struct", "files"),
    "TASK_NSPROXY": ("task_struct", "nsproxy"),
    "FS_ROOT": ("fs_struct", "root"),
    "FS_PWD": ("fs_struct", "pwd"),
    "FILES_FDT": ("files_struct", "fdt"),
    "FDTABLE_MAX": ("fdtable", "max_fds"),
    "FDTABLE_FD": ("fdtable", "fd"),
    "FILE_PATH": ("file", "f_path"),
    "NSPROXY_MNT_NS": ("nsproxy", "mnt_ns"),
    "VFSMOUNT_ROOT": ("vfsmount", "mnt_root"),
    "MOUNT_MNT": ("mount", "mnt"),
    "MOUNT_PARENT": ("mount", "mnt_parent"),
    "MOUNT_NS": ("mount", "mnt_ns"),
    "DENTRY_HASH": ("dentry", "d_hash"),
    "DENTRY_PARENT": ("dentry", "d_parent"),
}
_TOGETHER = (("mount", "mnt_parent", "mnt_mountpoint"), ("dentry", "d_parent", "d_name"))
"""Fields that the programs read at once: the second follows the first, which has 8 bytes."""

_DELETING = ("do_unlinkat", "filename_unlinkat", "do_rmdir", "filename_rmdir")
"""Kernel functions that delete a file or a folder. Each of the two has had two names."""


def cpu_list(text: str) -> list[int]:
    """The CPUs of a list: '0-2,5' gives [0, 1, 2, 5]."""
    cpus: list[int] = []
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        cpus += range(int(first), int(last or first) + 1)
    return cpus


def online_cpus() -> list[int]:
    """The CPUs that are online now."""
    return cpu_list(Path("/sys/devices/system/cpu/online").read_text())


def possible_cpus() -> int:
    """Highest possible CPU number + 1: the number of rows of a per-CPU map."""
    return cpu_list(Path("/sys/devices/system/cpu/possible").read_text())[-1] + 1


def ensure_tracefs() -> bool:
    """Mount tracefs at its usual place if it is not mounted. Returns whether this call mounted it. Raises
    CannotTrace."""
    what = "tracepoints cannot be used"
    for place in (TRACEFS, _DEBUGFS_TRACING):
        if os.path.ismount(place):
            try:
                next(place.iterdir())
            except PermissionError as e:
                cure = "Run it as root, or with CAP_DAC_READ_SEARCH."
                raise CannotTrace(what, "only root may look into tracefs", cure) from e
            return False
    cure = f"Mount it as root: mount -t tracefs tracefs {TRACEFS}"
    if not TRACEFS.is_dir():
        raise CannotTrace(what, f"this kernel has no tracefs ({TRACEFS} does not exist)", "It needs CONFIG_FTRACE.")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tracefs", os.fsencode(TRACEFS), b"tracefs", 0, None):
        number = ctypes.get_errno()
        raise CannotTrace(what, f"tracefs is not mounted and mounting it failed: {os.strerror(number)}", cure)
    return True


_PID_MAX_LIMIT = 1 << 22


def _offsets(btf: BTF, wanted: Mapping[str, tuple[str, ...]]) -> dict[str, int] | str:
    """Offsets by macro, or which fields are missing."""
    found = {macro: btf.offset(*names) for macro, names in wanted.items()}
    missing = [".".join(wanted[macro][:2]) for macro, offset in found.items() if offset is None]
    if missing:
        return f"the kernel's BTF has no {', '.join(missing)}"
    return {macro: offset for macro, offset in found.items() if offset is not None}


@dataclass(frozen=True)
class Kernel:
    """The running kernel."""

    release: str = field(default_factory=platform.release)

    @cached_property
    def pid_max(self) -> int:
        """One more than the highest pid. Since 6.14 each PID namespace has a limit of its own. In a container it says
        nothing of the kernel's pids, which may be as high as they ever can (PID_MAX_LIMIT, include/linux/threads.h)."""
        return _PID_MAX_LIMIT if self.inner_pids else int(Path("/proc/sys/kernel/pid_max").read_text())

    @cached_property
    def hierarchy(self) -> Hierarchy:
        """The hierarchy of control groups whose ids events have."""
        return hierarchy.of_this_host()

    @property
    def btf(self) -> dict[str, int] | str:
        """Offsets by macro name for the programs, or why there are none."""
        return self._types[0]

    @property
    def places(self) -> dict[str, int] | str:
        """Offsets by which the programs find and name the directory that a path starts from, or why there are none."""
        return self._types[1]

    @property
    def takes_filename(self) -> frozenset[str]:
        """The kernel functions used by the ladders whose second argument, by BTF, is a struct filename."""
        return self._types[2]

    @property
    def controller(self) -> int:
        """The kernel's number of the controller to which ``hierarchy`` belongs, from 1 on; 0 for the unified one."""
        return self._types[3]

    @cached_property
    def _types(self) -> tuple[dict[str, int] | str, dict[str, int] | str, frozenset[str], int]:
        """The values of ``btf``, ``places``, ``takes_filename`` and ``controller``, from the kernel's BTF."""
        try:
            with vmlinux() as btf:
                takes_filename = frozenset(f for f in _DELETING if btf.argument(f, 1) == "filename")
                offsets, places = _offsets(btf, _OFFSETS), _offsets(btf, _PLACES)
                arguments = btf.tracepoint_args("sched_switch")
                small_ids = btf.offset("cgroup", "id") is not None
                has_ancestors = btf.offset("cgroup", "ancestors") is not None
                controller = btf.number("cgroup_subsys_id", f"{self.hierarchy.controller}_cgrp_id")
                apart = [
                    f"{struct}.{second} behind {first}"
                    for struct, first, second in _TOGETHER
                    if btf.offset(struct, second) != (btf.offset(struct, first) or 0) + 8
                ]
        except NoBTF as e:
            return str(e), str(e), frozenset(), 0
        if isinstance(offsets, dict):
            offsets["SWITCH_HAS_PREV_STATE"] = int(arguments >= 4)  # since 5.18
            offsets["HAS_ANCESTORS"] = int(has_ancestors)
            offsets["SMALL_GROUP_IDS"] = int(small_ids)  # before 5.5
        if apart:
            places = f"the kernel's BTF has no {', '.join(apart)}"
        return offsets, places, takes_filename, 0 if controller is None else controller + 1

    def read_types(self) -> None:
        """Read the kernel's BTF now, which takes some 10 ms, instead of when it is first needed."""
        _ = self._types

    @cached_property
    def no_ringbuf(self) -> str:
        """Why the ring buffer cannot be used; empty when it can. A map of one page is created to find out."""
        allow_locked()
        try:
            os.close(syscall.map_create(syscall.MAP_TYPE_RINGBUF, os.sysconf("SC_PAGE_SIZE"), name=b"probe"))
        except OSError as e:
            if e.errno == errno.EINVAL:
                return "this kernel has no BPF ring buffer (it came with 5.8)"
            return f"this kernel refused a BPF ring buffer: {e.strerror}"
        return ""

    @cached_property
    def helpers(self) -> dict[str, int]:
        """Macros by which the programs know the helpers that this kernel has."""
        allow_locked()
        return probe.helpers()

    @property
    def inode_bits(self) -> int:
        """How many bits of a control group's id are its inode number. Since 5.5 all are; before, the rest tells groups
        apart that had one number (``union kernfs_node_id``). That release brought bpf_probe_read_user, too."""
        return 64 if "HAS_PROBE_READ_USER" in self.helpers else 32

    @cached_property
    def silent_perf(self) -> bool:
        """Whether the kernel does not report to a program that its event found no room in a perf buffer (mainline:
        before 5.1)."""
        allow_locked()
        return probe.perf_output_without_room() == 0

    @cached_property
    def no_call_registers(self) -> str:
        """Why a program cannot read the arguments of a system call at its exit; empty when it can."""
        allow_locked()
        if probe.task_registers():
            return ""
        return "this kernel has no BPF helper for the registers of a system call (bpf_task_pt_regs came with 5.15)"

    @cached_property
    def no_kprobes(self) -> str:
        """Why kprobes cannot be used; empty when they can."""
        if Path("/sys/bus/event_source/devices/kprobe").exists() or os.access(TRACEFS / "kprobe_events", os.F_OK):
            return ""
        return "the kernel has no kprobes (CONFIG_KPROBE_EVENTS)"

    @cached_property
    def functions(self) -> frozenset[str]:
        """The kernel functions probed by the ladders that are in /proc/kallsyms, which takes long to read."""
        if self.no_kprobes:
            return frozenset()
        with suppress(OSError), Path("/proc/kallsyms").open() as lines:
            return frozenset(name for line in lines if (name := line.split()[2]) in _DELETING)
        return frozenset()

    @cached_property
    def inner_pids(self) -> str:
        """Why process ids seen here are not those of the events; empty when they are."""
        return "" if pids.are_the_hosts() else "this container has its own process ids, but events have the host's"

    def tracepoint(self, category: str, event: str) -> bool:
        """Whether the tracepoint exists."""
        return not self.no_tracepoint(category, event)

    def no_tracepoint(self, category: str, event: str) -> str:
        """Why the tracepoint cannot be used; empty when it can."""
        option = " (CONFIG_FTRACE_SYSCALLS)" if category == "syscalls" else ""
        why = f"no tracepoint {category}:{event}{option}"
        for place in (TRACEFS, _DEBUGFS_TRACING):
            try:
                if (place / "events" / category / event).is_dir():
                    return ""
            except PermissionError:
                why = f"{place} may not be read (it takes root or CAP_DAC_READ_SEARCH)"
        return why

    def tracepoint_number(self, target: str) -> int:
        """The number of the tracepoint *target*, as in 'sched:sched_switch'. Raises OSError."""
        path = Path("events", *target.split(":"), "id")
        place = next((place for place in (TRACEFS, _DEBUGFS_TRACING) if (place / path).exists()), TRACEFS)
        return int((place / path).read_text())

    def tracepoint_fields(self, category: str, event: str) -> dict[str, tuple[int, int]]:
        """Byte offset and size of each field of a tracepoint's record; empty when they cannot be read."""
        for place in (TRACEFS, _DEBUGFS_TRACING):
            with suppress(OSError):
                text = (place / "events" / category / event / "format").read_text()
                found = re.findall(r"field:[^;]*?(\w+)(?:\[\d*\])?;\s*offset:(\d+);\s*size:(\d+);", text)
                return {name: (int(offset), int(size)) for name, offset, size in found}
        return {}

    @cached_property
    def lockdown(self) -> str:
        """The lockdown mode: none, integrity or confidentiality; empty where the kernel has no lockdown."""
        try:
            text = Path("/sys/kernel/security/lockdown").read_text()
        except OSError:
            return ""
        return text[text.index("[") + 1 : text.index("]")]
