"""A program is described in one place: one description makes a fourth one work, and no other file is changed for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CHECKS = Path(__file__).with_name("fourth_program.py")


def test_one_description_makes_a_fourth_program() -> None:
    pytest = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    command = [*pytest, "-p", "tests.project.opensnoop", str(CHECKS)]
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "LC_ALL", "LC_CTYPE")}
    environment |= {"LANG": "C.UTF-8", "TERM": "xterm-256color"}
    ended = subprocess.run(command, cwd=CHECKS.parents[2], env=environment, capture_output=True, text=True, timeout=240)
    assert ended.returncode == 0, ended.stdout + ended.stderr
