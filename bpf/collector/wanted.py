"""The control group that a user means by the name of a unit, by the name or the id of a container, or by its own id."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ringtop.bpf.collector.containers import Containers
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.event.cgroup import Membership, membership, unescaped, whole
from ringtop.bpf.kernel import hierarchy

_KINDS = ("service", "scope", "slice", "socket", "mount", "swap")
_HERE = 0xEFFF_FFFB
"""Inode of the initial cgroup namespace (PROC_CGROUP_INIT_INO in include/linux/proc_ns.h)."""
_NEAR = 0.75
"""How much alike names must be: two of units always have their ending in common."""
_CURE = "One that is not running has no control group: start it first."


@dataclass(frozen=True, slots=True)
class Wanted:
    """A control group of the host."""

    cgroup: int
    """Its id."""
    path: bytes
    name: str
    """What it is, in words that are not yet safe to show."""


class Finder:
    """Finds control groups below *top*, where the hierarchy is mounted."""

    def __init__(self, top: Path | None, containers: Containers, proc: Path = Path("/proc")) -> None:
        self._top, self._containers, self._proc = top, containers, proc

    def unit(self, name: str) -> Wanted:
        """The systemd unit called *name*, whose ending may be left out where it is .service. Raises CannotTrace."""
        if name.rpartition(".")[2] not in _KINDS:
            name += ".service"
        called = unescaped(name)

        def rank(found: Membership) -> tuple[bool, bool] | None:
            """The machine's own units before those of users and in containers, which may be called the same."""
            return (bool(found.container), "user.slice" in found.path) if found.unit == called else None

        return self._only(f"unit {name}", name, rank, lambda found: found.unit, lambda found: found.unit)

    def container(self, name: str) -> Wanted:
        """The container whose name is *name*, or whose id begins with it. Raises CannotTrace."""

        def rank(found: Membership) -> bool | None:
            if not found.container:
                return None
            told = self._containers.name(found.container)
            same = name in (found.container, told)
            return not same if same or found.container.startswith(name) else None

        def called(found: Membership) -> str:
            return self._containers.name(found.container) or found.short

        return self._only(f"container {name}", name, rank, lambda found: found.container, called)

    def group(self, cgroup: int) -> Wanted:
        """The container or unit to which the control group with this id belongs. Raises CannotTrace."""
        paths = dict(self._all(f"control group {cgroup}"))
        if cgroup not in paths:
            raise CannotTrace(f"control group {cgroup} cannot be followed", "there is none with this id", _CURE)
        path = whole(os.fsdecode(paths[cgroup]))
        found = membership(path)
        name = self._containers.name(found.container) or found.short
        what = f"container {name}" if name else f"unit {found.unit}" if found.unit else f"control group {path}"
        ids = {os.fsdecode(at): number for number, at in paths.items()}
        return self._checked(what, ids[path], path)

    def _all(self, what: str) -> Iterable[tuple[int, bytes]]:
        try:
            inner = (self._proc / "self" / "ns" / "cgroup").stat().st_ino != _HERE
        except OSError:
            inner = False  # a kernel without cgroup namespaces
        if inner:
            why = "this container has its own view of control groups"
            raise CannotTrace(f"{what} cannot be followed", why, "Run it on the host.")
        if self._top is None:
            why = "no hierarchy of control groups is mounted here"
            raise CannotTrace(f"{what} cannot be followed", why, "Mount it: mount -t cgroup2 cgroup2 /sys/fs/cgroup")
        return hierarchy.walk(self._top)

    def _only(
        self,
        what: str,
        name: str,
        rank: Callable[[Membership], object],
        of: Callable[[Membership], str],
        called: Callable[[Membership], str],
    ) -> Wanted:
        """The control group that *rank* puts first; those for which it returns None are not meant. *of* returns the
        unit or container that a group belongs to: groups inside another group of the same one are left out. *called*
        returns the name by which similar names are suggested. Raises CannotTrace when no group is the first alone."""
        known: set[str] = set()
        found: list[tuple[object, int, str]] = []
        for cgroup, raw in self._all(what):
            path = os.fsdecode(raw)
            one = membership(path)
            known.add(called(one))
            if (place := rank(one)) is not None and of(membership(path.rpartition("/")[0])) != of(one):
                found.append((place, cgroup, path))
        if not found:
            near = difflib.get_close_matches(name, known - {""}, 3, _NEAR)
            similar = f"; there is {', '.join(near)}" if near else ""
            why = f"no control group below {self._top} belongs to it{similar}"
            raise CannotTrace(f"{what} cannot be followed", why, _CURE)
        first = min(found)[0]
        best = [(cgroup, path) for place, cgroup, path in found if place == first]
        if len(best) > 1:
            why = f"several are called so: {', '.join(path for _, path in best[:4])}"
            raise CannotTrace(f"{what} cannot be followed", why, "Say which: by its whole id, or U on its row.")
        return self._checked(what, *best[0])

    def _checked(self, what: str, cgroup: int, path: str) -> Wanted:
        if path == "/":
            raise CannotTrace(f"{what} cannot be followed", "it is the whole host", "Leave it out.")
        return Wanted(cgroup, os.fsencode(path), what)
