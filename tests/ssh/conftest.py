"""Fixtures of the tests over SSH."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.ssh.server import Server
from tests.terminal import Terminal


class Start(Protocol):
    """Start a command on a terminal, with these variables."""

    def __call__(self, *command: str, **environment: str) -> Terminal: ...


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    assert os.geteuid() == 0, "these tests load BPF programs: run them as root"
    with Server(tmp_path_factory.mktemp("sshd")).running() as running:
        yield running


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    started: list[Terminal] = []

    def terminal(*command: str, **environment: str) -> Terminal:
        homes = {name: str(folder) for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME")}
        started.append(Terminal(command, **{**homes, **environment}))
        return started[-1]

    yield terminal
    for each in started:
        each.close()
