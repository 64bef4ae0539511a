"""The process that does what the collector may not do any more."""

from __future__ import annotations

import subprocess
import sys

from ringtop.bpf.collector import helper
from tests.processes import descendants, eventually, state

SUDO = """
import os, pathlib, signal, time
pathlib.Path("/proc/self/comm").write_text("sudo")
command = os.fork()
if command == 0:
    os.kill(os.getpid(), signal.SIGSTOP)
os.waitpid(command, 0)
time.sleep(0.5)
os.kill(os.getpid(), signal.SIGSTOP)
"""
"""As sudo, which stops itself because its command was stopped, but only after that has ended."""


def test_a_sudo_that_stops_itself_late_is_woken() -> None:
    with subprocess.Popen([sys.executable, "-c", SUDO]) as sudo:
        try:
            assert eventually(lambda: [state(pid) for pid in descendants(sudo.pid)] == ["T"])
            helper._end(descendants(sudo.pid)[0])
            assert sudo.wait(60) == 0
        finally:
            sudo.kill()
