"""The systemd unit and the container of a control group, from its path. Pure functions."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

_ID = re.compile(r"(?:^|(?<!conmon)[-:])([0-9a-f]{64})(?:\.scope)?$")
"""conmon is a process that watches a container, beside it."""
_RUNTIMES = (
    ("cri-containerd", "containerd"),
    ("crio", "cri-o"),
    ("libpod", "podman"),
    ("docker", "docker"),
    ("podman", "podman"),
    ("containerd", "containerd"),
    ("lxc", "lxc"),
)
_POD = re.compile(r"pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})")
_UNIT = re.compile(r"^[^/]+\.(?:service|scope|socket|mount|swap|slice)$")
_NSPAWN = re.compile(r"^machine-(.+)\.scope$")
_LXC = re.compile(r"^lxc\.payload\.(.+)$")
_ESCAPES = re.compile(r"(?:\\x[0-9a-f]{2})+")
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Membership:
    """What the path of a control group tells; fields that do not apply are empty. All text is untrusted: others wrote
    it."""

    path: str = ""
    """The path in the unified hierarchy, or in systemd's own."""
    unit: str = ""
    """The innermost systemd unit that is not a slice, or else the innermost slice; what systemd escaped is not."""
    runtime: str = ""
    """The runtime: docker, podman, containerd, cri-o, lxc or nspawn; 'container' when only the id is known."""
    container: str = ""
    """The id or the name of the container."""
    pod: str = ""
    """The pod's id in Kubernetes."""

    @property
    def short(self) -> str:
        """The container as its runtime's own lists have it: an id is 12 digits long there."""
        is_id = len(self.container) == 64 and _HEX.issuperset(self.container)
        return self.container[:12] if is_id else self.container


def parse(text: str) -> Membership:
    """Read the text of /proc/PID/cgroup."""
    paths: dict[str, str] = {}
    for line in text.split("\n"):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if path.startswith("/"):
            paths[controllers or number] = path
    # Beside cgroup v1 hierarchies, the unified one may only hold "/", which says nothing; systemd's own is used then.
    path = next((p for p in (paths.get("0"), paths.get("name=systemd")) if p and p != "/"), "")
    return membership(path or max(paths.values(), key=len, default=""))


def membership(path: str) -> Membership:
    """Read the path of a control group in its hierarchy."""
    runtime, container = _container(path)
    pod = _POD.search(path)
    return Membership(path, _unit(path), runtime, container, pod[1].replace("_", "-") if pod else "")


def whole(path: str) -> str:
    """The path of the container, or else of the unit, to which the control group at *path* belongs; *path* itself where
    it belongs to none."""
    inner = membership(path)
    names = path.split("/")
    for end in range(2, len(names)):
        outer = membership("/".join(names[:end]))
        if inner.container and outer.container == inner.container:
            return outer.path
        if inner.unit and not inner.container and outer.unit == inner.unit:
            return outer.path
    return path


def _unit(path: str) -> str:
    parts = [p.removeprefix("_") for p in path.split("/") if _UNIT.match(p)]
    inner = next((p for p in reversed(parts) if not p.endswith(".slice")), None)
    return unescaped(inner or (parts[-1] if parts else ""))


def unescaped(name: str) -> str:
    """*name* without systemd's escapes, which are those of bytes (systemd.unit(5)); the underscore that it puts before
    names that the kernel might use is gone already."""
    return _ESCAPES.sub(lambda found: os.fsdecode(bytes.fromhex(found[0].replace("\\x", ""))), name)


def _container(path: str) -> tuple[str, str]:
    parts = [p for p in path.split("/") if p]
    for at in range(len(parts) - 1, -1, -1):
        part = parts[at]
        if found := _ID.search(part):
            before = " ".join(parts[: at + 1]).removesuffix(found[0])
            named = next((name for mark, name in _RUNTIMES if mark in before or mark in part), "container")
            return named, found[1]
        if found := _NSPAWN.match(part):
            return "nspawn", unescaped(found[1])
        if found := _LXC.match(part):
            return "lxc", found[1]
        if at and parts[at - 1] == "lxc":
            return "lxc", part
    return "", ""
