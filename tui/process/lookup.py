"""Looks up the names of single processes and control groups of this machine by number."""

from __future__ import annotations

import os
from pathlib import Path

from ringtop.bpf.common import pids
from ringtop.tui.process.cgroup import parse

_MOST = 65_536
"""The limit of control groups that are searched."""


class LocalHost:
    """Implements ``top.names.Host`` by reading *proc* and *cgroups* (the unified hierarchy)."""

    def __init__(self, proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> None:
        self._proc, self._cgroups = proc, cgroups
        self._here = pids.are_the_hosts(proc)
        self._paths: dict[int, Path] = {}

    def comm(self, pid: int) -> bytes | None:
        """The name of a process; None when it is gone."""
        try:
            return (self._proc / str(pid) / "comm").read_bytes().removesuffix(b"\n") if self._here else None
        except OSError:
            return None

    def unit(self, cgroup: int) -> bytes | None:
        """The unit or container of a control group; None when it is not known.

        Its id is the inode of its folder (Documentation/admin-guide/cgroup-v2.rst, bpf_get_current_cgroup_id).
        """
        if cgroup not in self._paths:
            self._paths = self._found()
        path = self._paths.get(cgroup)
        if path is None:
            return None
        inside = path.relative_to(self._cgroups)
        member = parse(f"0::/{inside}" if inside.parts else "0::/")
        return os.fsencode(member.container[:12] or member.unit or f"/{inside}".removesuffix("."))

    def _found(self) -> dict[int, Path]:
        """The folders of all present control groups by id."""
        paths: dict[int, Path] = {}
        folders = [self._cgroups]
        while folders and len(paths) < _MOST:
            folder = folders.pop()
            try:
                paths[folder.stat().st_ino] = folder
                folders += [Path(entry.path) for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
            except OSError:
                continue  # it went away
        return paths
