"""Looks up the names of single processes of this machine by number."""

from __future__ import annotations

from pathlib import Path

from ringtop.bpf.common import pids


class LocalHost:
    """Implements ``top.names.Host`` by reading *proc*."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._here = pids.are_the_hosts(proc)

    def comm(self, pid: int) -> bytes | None:
        """The name of a process; None when it is gone."""
        try:
            return (self._proc / str(pid) / "comm").read_bytes().removesuffix(b"\n") if self._here else None
        except OSError:
            return None
