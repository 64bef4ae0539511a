"""What happens in the kernel is in the files of other formats, exactly."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pyarrow.parquet as pq

from tests.kernel.tracing import PRIME, RINGTOP

WORK = f"""
import os
for i in range({PRIME}):
    os.waitpid(os.posix_spawn("/bin/true", ["/bin/true", str(i)], {{}}), 0)
    open(f"gone-{{i}}", "w").close()
    os.unlink(f"gone-{{i}}")
"""


def test_a_trace_in_parquet(tmp_path: Path) -> None:
    words = "trace", "execsnoop", "unlinksnoop", "--format", "parquet", "--output", str(tmp_path / "o.parquet")
    summary = "--summary", str(tmp_path / "sum"), "--check"
    done = subprocess.run(
        [*RINGTOP, *words, *summary, "--", "/usr/bin/python3", "-c", WORK], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    ledger = json.loads((tmp_path / "sum").read_text())
    execs = pq.read_table(tmp_path / "o.execsnoop.parquet")
    found = [row["argv"] for row in execs.select(["argv"]).to_pylist() if row["argv"][0] == "/bin/true"]
    assert found == [["/bin/true", str(i)] for i in range(PRIME)]
    deletions = pq.read_table(tmp_path / "o.unlinksnoop.parquet")
    gone = [path for path in deletions["full"].to_pylist() if "/gone-" in path]
    assert gone == [f"{tmp_path}/gone-{i}" for i in range(PRIME)]
    for program, table in (("execsnoop", execs), ("unlinksnoop", deletions)):
        about = json.loads(pq.read_metadata(tmp_path / f"o.{program}.parquet").metadata[b"ringtop"])
        assert about["streams"][0]["ledger"] == ledger[program]
        assert ledger[program]["received"] == table.num_rows
