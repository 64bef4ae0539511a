"""In a container: process ids of its own, no folder for temporary files."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.kernel.tracing import RINGTOP

pytestmark = pytest.mark.beside
INNER_PIDS = ("unshare", "--pid", "--fork", "--mount-proc")
_READ_ONLY = """
mount --bind / / && mount -o remount,ro,bind /
for folder in /tmp /var/tmp; do mount --bind $folder $folder && mount -o remount,ro,bind $folder; done
exec "$@"
"""
READ_ONLY = ("unshare", "--mount", "sh", "-c", _READ_ONLY, "sh")


def test_process_ids_of_its_own_are_told() -> None:
    """They are not those of the events: nobody is looked up by them, or kept out."""
    command = [*INNER_PIDS, *RINGTOP, "trace", "execsnoop", "--duration", "0.2"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert told.returncode == 0, told.stderr
    assert told.stderr.count("its own process ids") == 1
    done = subprocess.run([*INNER_PIDS, *RINGTOP, "doctor", "--json"], capture_output=True, text=True, timeout=120)
    found = {f["name"]: f for f in json.loads(done.stdout)["findings"]}
    assert done.returncode == 0
    assert not found["process ids"]["ok"]
    assert found["process ids"]["cure"]


def test_no_folder_for_temporary_files_is_told_where_programs_are_compiled() -> None:
    trace = [*READ_ONLY, *RINGTOP, "trace", "execsnoop", "--duration", "0.2"]
    done = subprocess.run([*trace, "--loader", "bcc"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 3, done.stderr
    assert "temporary directory" in done.stderr
    assert "Traceback" not in done.stderr
    done = subprocess.run([*trace, "--loader", "core"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
