"""The card of a process: what this machine knows of it now, for as long as it is there. Pure data, no screen.

Text is raw bytes as the kernel gave it, or text others wrote (a unit's name): it goes through ``text.visible`` when
it is drawn.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeVar

import psutil

from ringtop.bpf.common import pids
from ringtop.tui.process.cgroup import Membership, parse

Presence = Literal["here", "gone", "reused", "elsewhere"]
"""``reused``: the number belongs to a younger process now; ``elsewhere``: the events are not of this machine."""

SLACK_S = 2.0
"""A process may seem this much younger than its first event: the kernel counts its start in ticks."""
_DEEPEST = 64
_COMMAND = 8191
"""Bytes of a command: as much as an exec tells."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ancestor:
    """A parent, or its parent."""

    pid: int
    comm: bytes


@dataclass(frozen=True, slots=True)
class Card:
    """A process. What is None was not to be had; ``denied`` tells whether for lack of permission."""

    pid: int
    presence: Presence
    comm: bytes | None = None
    command: tuple[bytes, ...] | None = None
    """Its arguments as they are now; empty for a kernel thread."""
    ancestors: tuple[Ancestor, ...] = ()
    """The parent first."""
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
    """CPUs it may run on."""
    rss_bytes: int | None = None
    cpu_s: float | None = None
    """User and system time so far."""
    denied: tuple[str, ...] = ()
    """Names of what only its owner or root may see."""
    truncated: bool = False
    """The command has more arguments."""


def elsewhere(pid: int) -> Card:
    """The card of a process of another machine, or of another time."""
    return Card(pid, "elsewhere")


def ended(last: Card) -> Card:
    """*last*, of a process that has ended since: what was known of it stays."""
    return replace(last, presence="gone", status=None)


def read(pid: int, event_s: float | None = None, proc: Path = Path("/proc")) -> Card:
    """The card of *pid* as it is now.

    With *event_s*, when its first known event was (seconds since 1970), a younger process that has got the same number
    is ``reused``, and nothing of it is told.
    """
    if not pids.are_the_hosts(proc):
        return elsewhere(pid)
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            started = process.create_time()
            if event_s is not None and started > event_s + SLACK_S:
                return Card(pid, "reused")
            card = _card(process, started, proc)
        # All of it is of one process only if that is still there.
        return card if process.is_running() else Card(pid, "gone")
    except (psutil.Error, OSError, ValueError, OverflowError):
        return Card(pid, "gone")


def _card(process: psutil.Process, started: float, proc: Path) -> Card:
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
    found: list[Ancestor] = []
    with contextlib.suppress(psutil.Error, OSError, ValueError):  # as many as can be seen
        found.extend(Ancestor(p.pid, _comm(p.pid, proc)) for p in process.parents()[:_DEEPEST])
    return tuple(found)


def _comm(pid: int, proc: Path) -> bytes:
    return _bytes(proc / str(pid) / "comm").removesuffix(b"\n")


def _command(pid: int, proc: Path) -> tuple[tuple[bytes, ...], bool]:
    """Arguments, and whether it has more. Not psutil's, which takes a carriage return for the end of a line."""
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
