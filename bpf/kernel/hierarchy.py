"""The hierarchy of control groups whose ids the events have, as this process sees it mounted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

MOST = 65_536
"""Control groups that are looked at in a walk, at most."""


def mounted(proc: Path = Path("/proc")) -> Path | None:
    """Where the unified hierarchy is mounted; None where it is not (proc(5): mountinfo)."""
    try:
        lines = (proc / "self" / "mountinfo").read_bytes().splitlines()
    except OSError:
        return None
    for line in lines:
        before, _, behind = line.partition(b" - ")
        if behind.startswith(b"cgroup2 "):
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
