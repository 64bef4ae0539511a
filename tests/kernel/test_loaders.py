"""Which loader is taken, and what is said of the better one: core with BTF, bcc where core cannot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.kernel.features import ensure_tracefs
from tests.kernel.loads import run_programs
from tests.kernel.tracing import PRIME, Tracing, assert_balanced
from tests.processes import descendants

pytestmark = pytest.mark.beside
_MAIN = "import sys; sys.path[:0] = [{folder!r}]; from ringtop.tui.__main__ import main; main()"
_LOAD = """
import sys
sys.path.insert(0, sys.argv[1])
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.loader import load
try:
    load("execsnoop", Kernel(), ringbuf=True, loader="bcc")
except CannotTrace as e:
    print(e)
"""
_WITHOUT_BTF = ("unshare", "--mount", "sh", "-c", 'mount --bind /dev/null /sys/kernel/btf/vmlinux; exec "$@"', "sh")
_OTHER_FORMAT = """
format=/sys/kernel/tracing/events/syscalls/sys_exit_execveat/format
sed 's/offset:16/offset:24/' $format >{copy} && mount --bind {copy} $format && exec "$@"
"""


def ringtop(*arguments: str, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """A run to its end."""
    command = [*prefix, sys.executable, "-m", "ringtop.tui", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def choices(*prefix: str) -> dict[str, dict[str, str]]:
    """What doctor says of each program."""
    outcome = ringtop("doctor", "--json", prefix=prefix)
    assert outcome.returncode == 0, outcome.stderr
    return {choice["program"]: choice for choice in json.loads(outcome.stdout)["programs"]}


BCCS = {
    "missing": "raise ModuleNotFoundError('No module named bcc', name='bcc')",
    "another project": "crystal = 'lattice'",
    "broken": "raise OSError('libbcc.so.0: cannot open shared object file')",
    "broken within": "raise AttributeError('libbcc has no such symbol')",
}


@pytest.mark.parametrize("bcc", BCCS.values(), ids=BCCS)
def test_a_bcc_that_cannot_be_used_stops_only_what_needs_it(bcc: str, tmp_path: Path) -> None:
    (tmp_path / "bcc.py").write_text(bcc)
    code = _MAIN.format(folder=str(tmp_path))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120)

    fine = run("doctor", "--json")
    assert fine.returncode == 0, fine.stderr
    assert [p["loader"] for p in json.loads(fine.stdout)["programs"]] == ["core"] * len(SCHEMAS)
    refused = subprocess.run([sys.executable, "-c", _LOAD, str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert refused.stdout.count("bcc") >= 1
    assert refused.stdout.count(f"{tmp_path}/bcc.py is another project") == (bcc == BCCS["another project"])
    assert "apt-get install python3-bpfcc" in refused.stdout
    assert refused.stdout.count("\n") == 2, "what and why, and the cure"


def test_without_btf_bcc_is_taken_and_the_reason_told(tracing: Tracing) -> None:
    running = tracing("execsnoop", "--capture", "comm=true", prefix=_WITHOUT_BTF)
    pids = run_programs(PRIME)
    outcome = running.finish()
    assert [r["pid"] for r in outcome.rows if r["pid"] in pids] == pids
    assert outcome.summary["execsnoop"]["loader"] == "bcc"
    assert_balanced(outcome.summary)
    refused = ringtop("trace", "execsnoop", "--loader", "core", prefix=_WITHOUT_BTF)
    assert refused.returncode == 3
    assert "BTF" in refused.stderr


def test_a_tracepoint_of_another_format_is_left_to_bcc(tmp_path: Path) -> None:
    ensure_tracefs()
    script = _OTHER_FORMAT.format(copy=tmp_path / "format")
    found = choices("unshare", "--mount", "sh", "-c", script, "sh")
    assert [found[p]["loader"] for p in ("runqslower", "execsnoop", "unlinksnoop")] == ["core", "bcc", "core"]
    assert "sys_exit_execveat" in found["execsnoop"]["no_core"]


def mapped(pid: int) -> str:
    """What a process has mapped."""
    return Path(f"/proc/{pid}/maps").read_text()


def test_no_compiler_is_mapped_into_any_process(tracing: Tracing) -> None:
    running = tracing("runqslower", "execsnoop", "unlinksnoop")
    pid = running.process.pid
    others = descendants(pid)
    assert others
    for one in (pid, *others):
        assert "libpython" in mapped(one) or "python" in mapped(one)
        assert not [name for name in ("LLVM", "clang", "libbcc") if name in mapped(one)], os.getpid()
    assert running.finish().status == 0
