"""Fixtures of the kernel tests."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel.tracing import RINGTOP, Running, Tracing


@pytest.fixture(scope="session", autouse=True)
def _root() -> None:
    assert os.geteuid() == 0, "the kernel tests load BPF programs: run them as root"


@pytest.fixture
def tracing(tmp_path: Path) -> Iterator[Tracing]:
    """Start `ringtop trace PROGRAM… OPTIONS…` and return once every program is attached."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, prefix: tuple[str, ...] = (), style: str = "json") -> Running:
        summary = Path(tempfile.mkdtemp(dir=tmp_path)) / "summary.json"
        command = [*prefix, *RINGTOP, "trace", *arguments, "--format", style, "--summary", str(summary)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        running = Running(process, summary)
        programs = sum(a in ("runqslower", "execsnoop", "unlinksnoop") for a in arguments)
        attached = threading.Event()

        def read_err() -> None:
            assert process.stderr is not None
            for line in process.stderr:
                running._err.append(line)
                if sum(": tracing " in told for told in running._err) == programs:
                    attached.set()
            attached.set()

        def read_out() -> None:
            assert process.stdout is not None
            running._out.extend(process.stdout)

        for read in (read_err, read_out):
            thread = threading.Thread(target=read, daemon=True)
            thread.start()
            running._threads.append(thread)
        assert attached.wait(60), "the programs were not attached within a minute"
        assert process.poll() is None, "".join(running._err)
        return running

    yield start
    for process in started:
        process.kill()
        process.wait()
