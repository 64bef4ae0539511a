"""The hierarchy of control groups whose ids the events have, as this process sees it mounted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MOST = 65_536
"""Control groups that are looked at in a walk, at most."""


CONTROLLERS = ("memory", "pids", "cpu")
"""The controllers of cgroup v1 in whose hierarchies systemd and containers make their groups, best first."""


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """One of the host's hierarchies."""

    controller: str = ""
    """The controller of cgroup v1 that it belongs to; empty for the unified hierarchy."""
    number: int = 0
    """Its number in /proc/PID/cgroup, which the kernel calls hierarchy_id."""
    top: Path | None = None
    """Where it is mounted; None where it is not."""


def of_this_host(proc: Path = Path("/proc")) -> Hierarchy:
    """The hierarchy in which control groups are looked up: that of the first of ``CONTROLLERS`` that has one of its
    own, as only hosts with cgroup v1 have, else the unified one."""
    try:
        text = (proc / "self" / "cgroup").read_text()
        mounts = (proc / "self" / "mountinfo").read_bytes()
    except OSError:
        return Hierarchy()
    lines = [line.split(":", 2) for line in text.splitlines() if line.count(":") > 1]
    numbers = {name: int(number) for number, names, _ in lines for name in names.split(",") if number.isdecimal()}
    controller = next((one for one in CONTROLLERS if one in numbers), "")
    return Hierarchy(controller, numbers.get(controller, 0), _mounted(mounts, controller))


def _mounted(mounts: bytes, controller: str) -> Path | None:
    """Where it is, by the text of /proc/PID/mountinfo (proc(5))."""
    for line in mounts.splitlines():
        before, _, behind = line.partition(b" - ")
        kind, _, options = behind.split()[:3]
        if kind == (b"cgroup" if controller else b"cgroup2") and (
            not controller or controller.encode() in options.split(b",")
        ):
            return Path(os.fsdecode(before.split()[4]))
    return None


def walk(top: Path) -> Iterator[tuple[int, bytes]]:
    """The id and the path of each control group of the hierarchy that is mounted at *top*, those further up first.

    The id is the inode number of its directory (Documentation/admin-guide/cgroup-v2.rst)."""
    found = [(os.fsencode(top), b"")]
    try:
        yield top.stat().st_ino, b"/"
    except OSError:
        return
    for folder, path in found:
        try:
            with os.scandir(folder) as entries:
                inside = [(entry.inode(), entry.name) for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError:  # it went away
            continue
        for number, name in inside:
            if len(found) >= MOST:
                return
            found.append((b"%b/%b" % (folder, name), b"%b/%b" % (path, name)))
            yield number, found[-1][1]
