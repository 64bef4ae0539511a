"""ringtop needs no system call, command or option that came after Linux 4.19."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from ringtop.bpf.event.schema import SCHEMAS
from tests.kernel.loads import run_programs
from tests.kernel.tracing import PRIME, RINGTOP, Tracing, assert_balanced
from tests.processes import attached, called
from tests.terminal import Terminal

LINUX_4_19 = (sys.executable, "-m", "tests.kernel.linux_4_19")
ME = f"ppid={os.getpid()}"


def test_the_filter_refuses_what_came_later() -> None:
    call = "import os; os.pidfd_open(os.getpid())"
    refused = subprocess.run([*LINUX_4_19, sys.executable, "-c", call], capture_output=True, text=True)
    assert "Function not implemented" in refused.stderr


@pytest.mark.parametrize("program", SCHEMAS)
def test_every_program_is_traced(tracing: Tracing, program: str) -> None:
    running = tracing(program, "--capture", ME, prefix=LINUX_4_19)
    run_programs(PRIME)
    outcome = running.finish()
    assert outcome.status == 0, outcome.err
    if program == "execsnoop":
        assert len(outcome.rows) == PRIME
    assert_balanced(outcome.summary)


def test_the_viewer(without_ring_buffer: str) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o777)  # the viewer is nobody once its collector runs
        homes = dict.fromkeys(("XDG_STATE_HOME", "XDG_CONFIG_HOME"), folder)
        terminal = Terminal([without_ring_buffer, *LINUX_4_19, *RINGTOP, "--capture", ME], 40, 140, **homes)
        try:
            assert terminal.shows("collector running"), terminal.screen
            assert attached(called(b" collect ", terminal.process.pid)[-1])
            pids = run_programs(PRIME)
            assert terminal.shows(str(pids[-1])), terminal.screen
            for key, why in (("t", "the perf buffers stay in use"), ("A", "there is nothing to compare")):
                terminal.type(key)
                assert terminal.shows(why), terminal.screen
            assert "seconds" not in terminal.screen, "it asks for nothing"
            terminal.type("q")
            assert terminal.wait() == 0
        finally:
            terminal.close()
