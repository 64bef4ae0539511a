"""What happens in the kernel is in the files of other formats, exactly."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.kernel.tracing import PRIME, RINGTOP
from tests.tui.formats.traces import trace

WORK = f"""
import os
for i in range({PRIME}):
    os.waitpid(os.posix_spawn("/bin/true", ["/bin/true", str(i)], {{}}), 0)
    open(f"gone-{{i}}", "w").close()
    os.unlink(f"gone-{{i}}")
"""


@pytest.fixture
def written(tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, dict[str, int]]:
    """The ledger of a trace of WORK in the format that the test asks for, written to files called o."""
    programs = "execsnoop", "unlinksnoop", "exitsnoop"
    words = "trace", *programs, "--format", request.param, "--output", str(tmp_path / "o.x")
    summary = "--summary", str(tmp_path / "sum"), "--check"
    command = [*RINGTOP, *words, *summary, "--", "/usr/bin/python3", "-c", WORK]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    ledger: dict[str, dict[str, int]] = json.loads((tmp_path / "sum").read_text())
    return ledger


@pytest.mark.parametrize("written", ["parquet"], indirect=True)
def test_a_trace_in_parquet(tmp_path: Path, written: dict[str, dict[str, int]]) -> None:
    execs, deletions = (pq.read_table(tmp_path / f"o.{program}.x") for program in ("execsnoop", "unlinksnoop"))
    started = [argv for argv in execs["argv"].to_pylist() if argv[0] == "/bin/true"]
    assert started == [["/bin/true", str(i)] for i in range(PRIME)]
    gone = [path for path in deletions["full"].to_pylist() if "/gone-" in path]
    assert gone == [f"{tmp_path}/gone-{i}" for i in range(PRIME)]
    for program, table in (("execsnoop", execs), ("unlinksnoop", deletions)):
        about = json.loads(pq.read_metadata(tmp_path / f"o.{program}.x").metadata[b"ringtop"])
        assert about["streams"][0]["ledger"] == written[program]
        assert written[program]["received"] == table.num_rows


@pytest.mark.parametrize("written", ["perfetto"], indirect=True)
def test_a_trace_in_perfetto(tmp_path: Path, written: dict[str, dict[str, int]]) -> None:
    found = trace((tmp_path / "o.x").read_bytes())
    execs, ends, deletions = (found.of(program) for program in ("execsnoop", "exitsnoop", "unlinksnoop"))
    begun_and_ended = [bar for bar in execs if bar.end is not None]
    assert len(execs) == written["execsnoop"]["received"]
    assert len(ends) + len(begun_and_ended) == written["exitsnoop"]["received"]
    assert len(deletions) == written["unlinksnoop"]["received"]
    started = [bar.fields["argv"][1] for bar in begun_and_ended if bar.fields["filename"] == "/bin/true"]
    assert started == [str(i) for i in range(PRIME)]
    assert all(abs(bar.end - bar.begin - 1000 * bar.fields["ran_us"]) < 10_000_000 for bar in begun_and_ended)
    gone = [bar.name for bar in deletions if "/gone-" in bar.name]
    assert gone == [f"unlink {tmp_path}/gone-{i}" for i in range(PRIME)]
