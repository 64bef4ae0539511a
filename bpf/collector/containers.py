"""What the runtimes of containers call them, as their files tell: no runtime is asked, and no command is run.

Docker and podman let only root read theirs: the collector reads them while it is root, so of a container that is made
later it knows the id alone. The kubelet's are for everybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

MOST = 4096
"""Containers whose names are kept."""
_LARGEST = 4 << 20
"""Bytes of the largest file that is read."""
_DOCKER = "var/lib/docker/containers"
_PODMAN = "var/lib/containers/storage/overlay-containers/containers.json"
_KUBELET = "var/log/containers"
"""Links called POD_NAMESPACE_CONTAINER-ID.log."""


class Containers:
    """Names of containers by their ids, from files below *root*."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._names: dict[str, str] = {}

    def read(self) -> None:
        """Read the names of all containers that there are now."""
        for container, name in (*self._docker(), *self._podman(), *self._kubelet()):
            if len(self._names) < MOST and name:
                self._names[container] = name

    def name(self, container: str) -> str:
        """The name of the container with this id; empty where it is not known."""
        return self._names.get(container, "")

    def _docker(self) -> Iterator[tuple[str, str]]:
        with suppress(OSError):
            for folder in (self._root / _DOCKER).iterdir():
                told = _json(folder / "config.v2.json")
                if isinstance(told, dict):
                    yield folder.name, str(told.get("Name", "")).removeprefix("/")

    def _podman(self) -> Iterator[tuple[str, str]]:
        told = _json(self._root / _PODMAN)
        for one in told if isinstance(told, list) else ():
            if isinstance(one, dict) and isinstance(names := one.get("names"), list) and names:
                yield str(one.get("id", "")), str(names[0])

    def _kubelet(self) -> Iterator[tuple[str, str]]:
        with suppress(OSError):
            for link in (self._root / _KUBELET).iterdir():
                whole, _, container = link.stem.rpartition("-")
                pod, _, rest = whole.partition("_")
                yield container, f"{rest.partition('_')[2]}.{pod}"


def _json(file: Path) -> Any:
    """What a file holds; None where it cannot be read."""
    try:
        with file.open("rb") as opened:
            return json.loads(opened.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return None
