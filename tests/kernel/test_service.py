"""The units of systemd: each command does its work with the rights that its unit lists, and with no others."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import signal
import string
import subprocess
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from ringtop.bpf import stream
from ringtop.tui.cli import service
from ringtop.tui.source.recording import read
from tests.kernel.loads import run_programs
from tests.kernel.test_metrics import free_port
from tests.kernel.tracing import PRIME, RINGTOP
from tests.processes import descendants, eventually
from tests.tools import tool

EACH = pytest.mark.parametrize("which", service.UNITS)
PROGRAM = "/usr/bin/ringtop"
CAP_DAC_READ_SEARCH = 1 << 2
"""As in linux/capability.h."""


def text(which: str) -> str:
    """The unit as it comes with the package."""
    return Path(service.__file__).with_name(f"ringtop-{which}.service").read_text()


def as_systemd_would(which: str, folder: Path) -> list[str]:
    """The command of the unit, with its rights, as another user, who has the *folder*."""
    parsed = configparser.ConfigParser(interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]  # names as they are written
    parsed.read_string(text(which))
    unit = parsed["Service"]

    def capabilities(key: str) -> str:
        return ",".join(("-all", *(f"+{name.removeprefix('CAP_').lower()}" for name in unit[key].split())))

    first, *words = shlex.split(string.Template(unit["ExecStart"]).substitute(STATE_DIRECTORY=folder))
    assert first == PROGRAM
    assert unit["NoNewPrivileges"] == unit["DynamicUser"] == "yes"
    network = ("unshare", "--net") if unit.get("PrivateNetwork") == "yes" else ()
    user = ("setpriv", "--reuid=4242", "--regid=4242", "--clear-groups", "--no-new-privs")
    ambient, bounding = capabilities("AmbientCapabilities"), capabilities("CapabilityBoundingSet")
    rights = ("--inh-caps", ambient, "--ambient-caps", ambient, "--bounding-set", bounding)
    return [*network, *user, *rights, *RINGTOP, *words]


def traces(process: subprocess.Popen[str]) -> bool:
    """Whether all its programs get attached: then its collector gives up the right to read tracefs."""

    def capabilities(pid: int) -> int:
        return int(Path(f"/proc/{pid}/status").read_text().split("CapEff:")[1].split()[0], 16)

    return eventually(lambda: any(not capabilities(pid) & CAP_DAC_READ_SEARCH for pid in descendants(process.pid)))


def test_the_recorder_writes_a_new_file_until_it_is_stopped(folder: Path) -> None:
    process = subprocess.Popen(as_systemd_would("record", folder), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        assert traces(process)
        started = set(run_programs(PRIME))
        process.send_signal(signal.SIGTERM)  # as systemd does
        assert process.wait(120) == 0
        (file,) = folder.iterdir()
        assert f" events in {file} (" in process.stderr.read()
    finally:
        process.kill()
        process.wait()
    assert re.fullmatch(rf"{os.uname().nodename}-\d{{8}}-\d{{6}}\.ringtop", file.name)
    assert file.stat().st_mode & 0o777 == 0o600
    recording = read(file)
    batches = [stream.batch(rows) for m in recording if isinstance(m, stream.Round) for rows in m.batches]
    assert recording.damage is None
    assert {batch.program for batch in batches} <= {"runqslower", "execsnoop", "unlinksnoop"}
    assert started <= {pid for batch in batches if batch.program == "execsnoop" for pid in batch.rows["pid"].tolist()}


def test_the_metrics_are_there_until_they_are_stopped(folder: Path) -> None:
    place = f"127.0.0.1:{free_port()}"
    command = [*as_systemd_would("metrics", folder), "--listen", place]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None

    def metrics() -> str:
        try:
            with urlopen(f"http://{place}/metrics") as answer:
                return str(answer.read(), "utf-8")
        except URLError:
            return ""  # it does not listen yet

    try:
        assert traces(process)
        assert eventually(lambda: metrics().count("\nringtop_running{") == 3)
        assert set(re.findall(r"^ringtop_running{.*} (.*)$", metrics(), re.MULTILINE)) == {"1.0"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
    finally:
        process.kill()
        process.wait()


@EACH
def test_systemd_understands_the_unit_and_finds_its_sandbox_good(which: str, tmp_path: Path) -> None:
    unit = tmp_path / "ringtop-test.service"
    unit.write_text(text(which).replace(PROGRAM, shutil.which("true") or ""))

    def analyze(*words: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"SYSTEMD_LOG_LEVEL": "warning"}
        command = [tool("systemd-analyze"), *words, unit]
        return subprocess.run(command, capture_output=True, text=True, env=environment)

    verified, judged = analyze("verify", "--man=no"), analyze("security", "--offline=true", "--threshold=25")
    assert "ringtop-test" not in verified.stderr
    assert verified.returncode == 0, verified.stderr
    assert judged.returncode == 0, judged.stdout
