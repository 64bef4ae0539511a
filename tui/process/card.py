"""The card of a process holds the facts that this machine has about it while it exists. Pure data, no screen.

Its text is untrusted: raw bytes from the kernel, or names written by others (such as a unit's). It goes through
``text.visible`` when it is drawn.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from ringtop.bpf.common import pids
from ringtop.bpf.common.clock import began_ns, now_ns
from ringtop.bpf.event.cgroup import Membership, parse

if TYPE_CHECKING:
    import psutil

Presence = Literal["here", "gone", "hidden", "reused", "elsewhere"]
"""``hidden``: it exists, but procfs (hidepid) does not show it to this user;
``reused``: the PID belongs to a younger process now; ``elsewhere``: the events are from another machine or time."""

_SLACK_NS = 2_000_000_000
"""A process may seem this much younger than its first event: the kernel counts its start in ticks."""
_DEEPEST = 64
_COMMAND = 8191
"""The limit of a command in bytes: as much as an exec event holds."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ancestor:
    """A parent of the process, or a parent's parent, and so on."""

    pid: int
    comm: bytes


@dataclass(frozen=True, slots=True)
class Card:
    """The facts about a process. A fact that could not be read is None; ``denied`` names those refused to this user."""

    pid: int
    presence: Presence
    comm: bytes | None = None
    command: tuple[bytes, ...] | None = None
    """The present arguments; empty for a kernel thread."""
    ancestors: tuple[Ancestor, ...] = ()
    """The ancestors, the parent first."""
    user: str | None = None
    uid: int | None = None
    membership: Membership = field(default_factory=Membership)
    threads: int | None = None
    started: float | None = None
    """Seconds since 1970."""
    cwd: bytes | None = None
    exe: bytes | None = None
    status: str | None = None
    """'running', 'sleeping', 'zombie' …"""
    nice: int | None = None
    affinity: tuple[int, ...] | None = None
    """The CPUs on which the process may run."""
    rss_bytes: int | None = None
    cpu_s: float | None = None
    """The user and system time used so far, in seconds."""
    denied: tuple[str, ...] = ()
    """The names of the facts that only the owner or root may read."""
    truncated: bool = False
    """Whether the command is longer than what is kept."""


def elsewhere(pid: int) -> Card:
    """The card of a process of another machine, or of another time."""
    return Card(pid, "elsewhere")


def ended(last: Card) -> Card:
    """The card *last* of a process that has ended since: the known facts stay."""
    return replace(last, presence="gone", status=None)


def read(pid: int, ts: int | None = None, proc: Path = Path("/proc")) -> Card:
    """The card of *pid* as it is now.

    *ts* is the time of its first known event (kernel's clock, ns: the wall clock may have been set since). A younger
    process with the same PID gives a ``reused`` card without any of its facts.
    """
    if not pids.are_the_hosts(proc):
        return elsewhere(pid)
    import psutil  # takes a tenth of the viewer's start, and most runs show no card

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            began = began_ns(pid, proc)
            if ts is not None and began > ts + _SLACK_NS:
                return Card(pid, "reused")
            card = _card(process, time.time() - (now_ns() - began) / 1e9, proc)
        # The facts belong to one process only if it still exists after the last one was read.
        return card if process.is_running() else Card(pid, "gone")
    except (psutil.Error, OSError, ValueError, OverflowError):
        return Card(pid, "hidden" if _exists(pid) else "gone")


def _exists(pid: int) -> bool:
    """Whether there is such a process, also one that procfs does not show: kill(2) refuses to signal it."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return False  # one of ours would be shown: it has ended in between


def _card(process: psutil.Process, started: float, proc: Path) -> Card:
    import psutil

    denied: list[str] = []

    def ask(name: str, get: Callable[[], T]) -> T | None:
        try:
            return get()
        except psutil.ZombieProcess:
            return None
        except (psutil.AccessDenied, PermissionError):
            denied.append(name)
            return None
        except (OSError, ValueError, KeyError, RuntimeError):
            return None  # a file of /proc that went away, or that this kernel does not have

    command, truncated = ask("command", lambda: _command(process.pid, proc)) or (None, False)
    uids = ask("user", process.uids)
    memory = ask("memory", process.memory_info)
    times = ask("cpu", process.cpu_times)
    return Card(
        process.pid,
        "here",
        comm=ask("comm", lambda: _comm(process.pid, proc)),
        command=command,
        truncated=truncated,
        ancestors=_ancestors(process, proc),
        user=ask("user", process.username) if uids else None,
        uid=uids.real if uids else None,
        membership=ask("cgroup", lambda: _membership(process.pid, proc)) or Membership(),
        threads=ask("threads", process.num_threads),
        started=started,
        cwd=ask("cwd", lambda: _raw(process.cwd()) or None),
        exe=ask("exe", lambda: _raw(process.exe()) or None),
        status=ask("status", lambda: str(process.status())),
        nice=ask("nice", process.nice),
        affinity=ask("affinity", lambda: tuple(process.cpu_affinity() or ())),
        rss_bytes=memory.rss if memory else None,
        cpu_s=times.user + times.system if times else None,
        denied=tuple(dict.fromkeys(denied)),
    )


def _ancestors(process: psutil.Process, proc: Path) -> tuple[Ancestor, ...]:
    import psutil

    found: list[Ancestor] = []
    with contextlib.suppress(psutil.Error, OSError, ValueError):  # as many as can be seen
        found.extend(Ancestor(p.pid, _comm(p.pid, proc)) for p in process.parents()[:_DEEPEST])
    return tuple(found)


def _comm(pid: int, proc: Path) -> bytes:
    return _bytes(proc / str(pid) / "comm").removesuffix(b"\n")


def _command(pid: int, proc: Path) -> tuple[tuple[bytes, ...], bool]:
    """The arguments, and whether some were cut. psutil's are not used: it takes a carriage return for a line end."""
    raw = _bytes(proc / str(pid) / "cmdline", _COMMAND + 2)
    args = raw.removesuffix(b"\0")
    return tuple(args[:_COMMAND].split(b"\0")) if raw else (), len(args) > _COMMAND


def _membership(pid: int, proc: Path) -> Membership:
    return parse(_bytes(proc / str(pid) / "cgroup").decode(errors="surrogateescape"))


def _bytes(path: Path, most: int = 64 << 10) -> bytes:
    with path.open("rb") as file:
        return file.read(most)


def _raw(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
