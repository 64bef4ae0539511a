"""This process's privileges, and dropping those that it does not need."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ringtop.bpf.common.errors import CannotTrace

CAPABILITIES = {  # include/uapi/linux/capability.h
    "CAP_DAC_READ_SEARCH": 2,
    "CAP_KILL": 5,
    "CAP_IPC_LOCK": 14,
    "CAP_SYS_ADMIN": 21,
    "CAP_SYS_RESOURCE": 24,
    "CAP_PERFMON": 38,
    "CAP_BPF": 39,
}
NOBODY = 65534
_UNUSED = range(61184, 65520)
"""The ids that systemd gives to services with an account of their own (UIDS-GIDS.md), and no distribution to a user."""
_HOST = 0xEFFF_FFFD
"""Inode of the initial user namespace (PROC_USER_INIT_INO in include/linux/proc_ns.h)."""
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"

_PDEATHSIG, _CAPBSET_READ, _CAPBSET_DROP, _KEEPCAPS, _NO_NEW_PRIVS, _AMBIENT = 1, 23, 24, 8, 38, 47  # linux/prctl.h
_AMBIENT_CLEAR_ALL = 4
_VERSION_3 = 0x20080522  # of capset(2)
_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, *args: int) -> int:
    result: int = _libc.prctl(option, *(ctypes.c_ulong(a) for a in (*args, 0, 0, 0, 0)[:4]))
    return result


def held() -> set[str]:
    """Return the effective capabilities among CAPABILITIES."""
    lines = Path("/proc/self/status").read_text().splitlines()
    bits = int(next(line for line in lines if line.startswith("CapEff")).split()[1], 16)
    return {name for name, bit in CAPABILITIES.items() if bits >> bit & 1}


def may_load() -> bool:
    """Return whether programs can be loaded and attached: this takes CAP_BPF and CAP_PERFMON (Linux 5.8), or
    CAP_SYS_ADMIN, which root has."""
    enough = {"CAP_SYS_ADMIN"} & held() or {"CAP_BPF", "CAP_PERFMON"} <= held()
    return bool(enough) and in_the_hosts_user_namespace()


def in_the_hosts_user_namespace(proc: Path = Path("/proc")) -> bool:
    """Return whether capabilities here are capabilities for the kernel, and not for a user namespace alone."""
    try:
        return (proc / "self" / "ns" / "user").stat().st_ino == _HOST
    except OSError:
        return True  # a kernel without user namespaces


def require() -> None:
    """Raises CannotTrace, with the cure, where programs cannot be loaded and attached."""
    if may_load():
        return
    if held() and not in_the_hosts_user_namespace():
        why = "root in a user namespace (a rootless container, unshare -U) has no rights over the kernel"
        raise CannotTrace("cannot trace", why, "Run it on the host, outside the user namespace.")
    why = "loading BPF programs needs root, or the capabilities CAP_BPF and CAP_PERFMON"
    raise CannotTrace("cannot trace", why, "Run it as root: sudo ringtop …")


def to_read_events() -> set[str]:
    """Return the capabilities that the readers of a loaded program still need, to create maps and perf buffers.

    Perf buffers are locked memory, hence CAP_IPC_LOCK."""
    known = _prctl(_CAPBSET_READ, CAPABILITIES["CAP_BPF"]) >= 0
    return {"CAP_IPC_LOCK"} | ({"CAP_BPF", "CAP_PERFMON"} if known else {"CAP_SYS_ADMIN"})


def unused_id(proc: Path = Path("/proc"), accounts: Path = Path("/etc/passwd")) -> int:
    """Return the id of a user that has no name and no process; nobody's where the kernel knows no such id here.

    Only root can send signals to a process of such a user, whereas many programs run as nobody. The names are those of
    the file: asking a directory service could take long."""
    try:
        mapped = [line.split() for line in (proc / "self" / "uid_map").read_text().splitlines()]
        taken = {line.split(b":")[2] for line in accounts.read_bytes().splitlines() if line.count(b":") > 2}
    except OSError:
        return NOBODY
    running = set()
    for process in proc.iterdir():
        with suppress(OSError):  # it has ended
            running.add(process.stat().st_uid)
    inside = {uid for first, _, count in mapped for uid in _UNUSED if int(first) <= uid < int(first) + int(count)}
    free = [uid for uid in inside - running if str(uid).encode() not in taken]
    return random.SystemRandom().choice(free) if free else NOBODY


def drop(keep: Iterable[str] = (), uid: int | None = None, gid: int | None = None) -> None:
    """Drop all capabilities but *keep* for good; root also becomes *uid* and *gid*, by default an unused id. Other
    users keep their ids.

    The process can never gain another capability. It must not have started threads yet. Raises OSError.
    """
    if uid is None:
        uid = unused_id()
    gid = uid if gid is None else gid
    wanted = sum(1 << CAPABILITIES[name] for name in set(keep) & held())
    root = os.geteuid() == 0
    _prctl(_NO_NEW_PRIVS, 1)
    _prctl(_AMBIENT, _AMBIENT_CLEAR_ALL)
    for bit in range(64):
        if _prctl(_CAPBSET_READ, bit) == 1:
            _prctl(_CAPBSET_DROP, bit)
    if root:
        _prctl(_KEEPCAPS, 1)
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    low, high = wanted & 0xFFFF_FFFF, wanted >> 32
    header = struct.pack("<Ii", _VERSION_3, 0)
    if _libc.capset(header, struct.pack("<6I", low, low, 0, high, high, 0)):
        raise OSError(ctypes.get_errno(), "the capabilities could not be given up")


def told_of_parent() -> None:
    """Have the kernel send SIGCONT to this process when its parent ends in any way: that reaches a stopped process,
    too. Call it again after ``drop``, which clears this setting.

    As for any signal, the parent must be root, of the same user or of the same session."""
    _prctl(_PDEATHSIG, signal.SIGCONT)


def clean_environment() -> None:
    """Clear the environment but for a safe PATH, and go to ``/``.

    PYTHON*, LD_*, BCC_*, TMPDIR, HOME and others could redirect what is loaded, found or written."""
    os.environ.clear()
    os.environ["PATH"] = PATH
    os.chdir("/")
