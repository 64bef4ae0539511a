"""Fixtures of the kernel tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.kernel.tracing import RINGTOP, Running, Tracing, running


@pytest.fixture(scope="session", autouse=True)
def _root() -> None:
    assert os.geteuid() == 0, "the kernel tests load BPF programs: run them as root"


@pytest.fixture(scope="session")
def without_ring_buffer(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A command that runs another as on a kernel before 5.8, which has no ring buffer."""
    binary = tmp_path_factory.mktemp("pre58") / "pre58_run"
    source = Path(__file__).with_name("pre58_run.c")
    compiler = shutil.which("cc") or shutil.which("gcc")
    assert compiler, "a C compiler is needed (apt-get install gcc)"
    subprocess.run([compiler, "-O2", "-Wall", "-o", binary, source], check=True)
    return str(binary)


@pytest.fixture
def loader() -> str:
    """How programs get into the kernel, unless a test is run ``BY_EACH_LOADER``."""
    return "auto"


@pytest.fixture
def tracing(tmp_path: Path, loader: str) -> Iterator[Tracing]:
    """Start `ringtop trace PROGRAM… OPTIONS…` and return once every program is attached."""
    with ExitStack() as all_ended:

        def start(*arguments: str, prefix: tuple[str, ...] = (), style: str = "json") -> Running:
            summary = Path(tempfile.mkdtemp(dir=tmp_path)) / "summary.json"
            words = (*arguments, "--loader", loader)
            return all_ended.enter_context(running(words, summary, (*prefix, *RINGTOP), style))

        yield start
