"""Several hosts: names for one ssh server, at each of which another `ringtop` may be found."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from tests.kernel.tracing import RINGTOP
from tests.ssh.server import Server


class Hosts:
    """Names of hosts. ``environment`` has an ssh that knows them, and only them."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._folder, self._port = folder, server.port
        (folder / "here").mkdir()
        self._config = folder / "ssh_config"
        self._config.write_text(
            f"Host *\n  Port {server.port}\n  HostName 127.0.0.1\n  HostKeyAlias [127.0.0.1]:{server.port}\n"
            f"  IdentityFile {server.folder}/user\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {server.folder}/known_hosts\n"
        )
        self._write(folder / "here" / "ssh", f'exec /usr/bin/ssh -F {self._config} "$@"')
        self.environment = {**os.environ, "PATH": f"{folder}/here:{os.environ['PATH']}"}
        self._there = server.folder / "bin"

    def add(self, name: str, *lines: str, python: str = "", shell: str = "") -> str:
        """Enter a host with these *lines* of ssh's config, at which `ringtop` is the real one, or what is given."""
        place = f"{self._folder.name}-{name}"
        own = self._config.read_text()
        told = "".join(f"  {line}\n" for line in (*lines, f"SetEnv LC_PLACE={place}"))
        self._config.write_text(f"Host {name}\n{told}{own}")
        if python:
            (self._there / f"{place}.py").write_text(python)
            shell = f"exec {sys.executable} {self._there / place}.py"
        self._write(self._there / place, shell or f'exec {shlex.join(RINGTOP)} "$@"')
        return name

    def _write(self, file: Path, line: str) -> None:
        file.write_text(f"#!/bin/sh\n{line}\n")
        file.chmod(0o755)
