"""The unit of systemd that THREATS.md shows: it records with the rights that it lists, and no others."""

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

import pytest

from ringtop.bpf import stream
from ringtop.tui.source.recording import read
from tests.kernel.loads import run_programs
from tests.kernel.tracing import PRIME, RINGTOP
from tests.processes import descendants, eventually, programs
from tests.tools import tool

THREATS = (Path(__file__).parents[2] / "bpf" / "THREATS.md").read_text()
(UNIT,) = re.findall(r"^```ini\n(.*?)^```", THREATS, re.MULTILINE | re.DOTALL)
COMMAND = "/opt/ringtop/bin/ringtop"


@pytest.fixture
def service() -> configparser.SectionProxy:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # names as they are written
    unit.read_string(UNIT)
    return unit["Service"]


def as_systemd_would(service: configparser.SectionProxy, folder: Path) -> list[str]:
    """The command of the unit, with its rights, as another user."""

    def capabilities(key: str) -> str:
        return ",".join(("-all", *(f"+{name.removeprefix('CAP_').lower()}" for name in service[key].split())))

    where = {"STATE_DIRECTORY": str(folder), "INVOCATION_ID": "0123"}
    first, *words = shlex.split(string.Template(service["ExecStart"]).substitute(where))
    assert first == COMMAND
    assert service["NoNewPrivileges"] == "yes"
    user = ("setpriv", "--reuid=4242", "--regid=4242", "--clear-groups", "--no-new-privs")
    ambient, bounding = capabilities("AmbientCapabilities"), capabilities("CapabilityBoundingSet")
    return [*user, "--inh-caps", ambient, "--ambient-caps", ambient, "--bounding-set", bounding, *RINGTOP, *words]


def test_the_service_records_until_it_is_stopped(service: configparser.SectionProxy, folder: Path) -> None:
    process = subprocess.Popen(as_systemd_would(service, folder), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        assert eventually(lambda: any(map(programs, descendants(process.pid))))
        assert eventually(lambda: bool(list(folder.iterdir())))
        assert eventually(lambda: (folder / "0123.ringtop").stat().st_size > 0)
        started = set(run_programs(PRIME))
        process.send_signal(signal.SIGTERM)  # as systemd does
        assert process.wait(60) == 0
        assert process.stderr.read() == ""
    finally:
        process.kill()
        process.wait()
    recording = read(folder / "0123.ringtop")
    batches = [stream.batch(rows) for m in recording if isinstance(m, stream.Round) for rows in m.batches]
    assert recording.damage is None
    assert started <= {pid for batch in batches if batch.program == "execsnoop" for pid in batch.rows["pid"].tolist()}
    assert (folder / "0123.ringtop").stat().st_mode & 0o777 == 0o600


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    (tmp_path / "ringtop-test.service").write_text(UNIT.replace(COMMAND, shutil.which("true") or ""))
    done = subprocess.run(
        [tool("systemd-analyze"), "verify", "--man=no", tmp_path / "ringtop-test.service"],
        capture_output=True,
        text=True,
        env=os.environ | {"SYSTEMD_LOG_LEVEL": "warning"},
    )
    assert "ringtop-test" not in done.stderr
    assert done.returncode == 0, done.stderr
