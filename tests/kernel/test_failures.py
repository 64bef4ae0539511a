"""What is refused or missing ends as stated: one message, one cure, one exit status, and nothing left attached."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.kernel.features import online_cpus
from tests.kernel.loads import Storm, run_programs
from tests.kernel.tracing import PRIME, RINGTOP, Running, Tracing, assert_balanced, running
from tests.processes import called, ended, eventually, gone, loaded, programs

pytestmark = pytest.mark.beside
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
_NO_TRACEFS = 'umount /sys/kernel/tracing; umount -q /sys/kernel/debug; exec "$@"'
NO_TRACEFS = ("unshare", "--mount", "sh", "-c", _NO_TRACEFS, "sh")


def ringtop(*arguments: str, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """A run to its end."""
    return subprocess.run([*prefix, *RINGTOP, *arguments], capture_output=True, text=True, timeout=120)


def collector_of(running: Running) -> int:
    """The collector's pid."""
    (collector,) = called(b" collect ", running.process.pid)
    return collector


def test_not_root() -> None:
    outcome = ringtop("trace", "execsnoop", prefix=NOBODY)
    assert outcome.returncode == 3
    assert "root" in outcome.stderr
    assert "sudo" in outcome.stderr
    assert outcome.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--buffer", "100K"), ("64K", "128K")),
        (("--buffer", "1"), ("4K",)),
        (("--buffer", "many"), ("256K",)),
        (("--wakeup", "sometimes"), ("timer", "batch:N")),
        (("--filter", "comm=="), ("^",)),
        (("--capture", "latency>5parsecs"), ("^",)),
        (("--capture", 'argv~"x"'), ("--filter",)),
        (("--min-us", "-1"), ("min-us",)),
        (("--count", "0"), ("count",)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_called_wrongly(arguments: tuple[str, ...], told: tuple[str, ...]) -> None:
    outcome = ringtop("trace", "execsnoop", *arguments)
    assert outcome.returncode == 2, outcome.stderr
    for word in told:
        assert word in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_no_ring_buffer(tracing: Tracing, without_ring_buffer: str) -> None:
    running = tracing("execsnoop", "--capture", f"ppid={os.getpid()}", prefix=(without_ring_buffer,))
    run_programs(PRIME)
    running.process.send_signal(signal.SIGSTOP)
    running.process.send_signal(signal.SIGCONT)
    os.kill(collector_of(running), signal.SIGINT)
    outcome = running.wait()
    assert "no BPF ring buffer" in outcome.err
    assert outcome.summary["execsnoop"]["transport"] == "perfbuf"
    assert len(outcome.rows) == PRIME
    assert_balanced(outcome.summary)


def test_no_ring_buffer_but_asked_for(without_ring_buffer: str) -> None:
    outcome = ringtop("trace", "execsnoop", "--transport", "ringbuf", prefix=(without_ring_buffer,))
    assert outcome.returncode == 3
    assert "perfbuf" in outcome.stderr


@pytest.mark.parametrize("transport", ["ringbuf", "perfbuf"])
def test_no_memory_for_the_buffers(transport: str) -> None:
    limit = ("prlimit", f"--as={900 << 20}")
    outcome = ringtop("trace", "execsnoop", "--transport", transport, "--buffer", "512M", prefix=limit)
    assert outcome.returncode == 3
    assert "512M" in outcome.stderr
    assert "Cannot allocate memory" in outcome.stderr
    assert "--buffer" in outcome.stderr
    assert outcome.stdout == ""


def test_no_tracefs_is_mounted(tracing: Tracing) -> None:
    running = tracing("execsnoop", "--capture", f"ppid={os.getpid()}", prefix=NO_TRACEFS)
    run_programs(PRIME)
    outcome = running.finish()
    assert "it is mounted now" in outcome.err
    assert len(outcome.rows) == PRIME


def test_a_wrong_bcc(tmp_path: Path) -> None:
    (tmp_path / "bcc.py").write_text("crystal = 'lattice'\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from ringtop.tui.__main__ import main; main()"
    outcome = subprocess.run([sys.executable, "-c", code, "doctor", "--json"], capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stderr
    report = json.loads(outcome.stdout)
    bcc = next(f for f in report["findings"] if f["name"] == "bcc")
    assert (bcc["ok"], bcc["needed"]) == (False, False)
    assert "python3-bpfcc" in bcc["cure"]
    assert {p["loader"] for p in report["programs"]} == {"core"}


def test_doctor_as_root_and_as_nobody() -> None:
    fine, not_root = ringtop("doctor", "--json"), ringtop("doctor", "--json", prefix=NOBODY)
    assert fine.returncode == 0
    report = json.loads(fine.stdout)
    assert report["ok"]
    assert [p["program"] for p in report["programs"]] == list(SCHEMAS)
    assert all(p["hook"] and p["transport"] for p in report["programs"])
    assert not_root.returncode == 3
    assert all(f["cure"] for f in json.loads(not_root.stdout)["findings"] if not f["ok"])


@pytest.mark.parametrize("victim", ["collector", "trace"])
def test_killed(tracing: Tracing, victim: str) -> None:
    running = tracing("runqslower", "execsnoop", "unlinksnoop")
    collector = collector_of(running)
    ours = programs(collector)
    assert len(ours) >= 3
    os.kill(collector if victim == "collector" else running.process.pid, signal.SIGKILL)
    outcome = running.wait()
    assert gone(ours), "programs are still in the kernel"
    assert ended([collector])
    if victim == "collector":
        assert outcome.status == 1
        assert "SIGKILL" in outcome.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, 35])
def test_signals_end_it_in_order(tracing: Tracing, number: int) -> None:
    running = tracing("execsnoop", "--capture", f"ppid={os.getpid()} and comm=true")
    ours = programs(collector_of(running))
    assert ours <= loaded()
    run_programs(PRIME)
    running.process.send_signal(number)
    outcome = running.wait()
    assert outcome.status == 0
    assert len(outcome.rows) == PRIME
    assert gone(ours)


def test_a_reader_that_leaves_is_no_failure() -> None:
    line = " ".join([*RINGTOP, "trace", "execsnoop", "-q"])
    shell = f"{line} --format json | head -n 1; exit ${{PIPESTATUS[0]}}"
    process = subprocess.Popen(["bash", "-c", shell], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None:
        run_programs(1)
        time.sleep(0.05)
    out, err = process.communicate()
    assert json.loads(out)["program"] == "execsnoop"
    assert err == ""
    assert process.returncode == 0


def test_a_full_pipe_stalls_nothing_and_loses_nothing(tracing: Tracing) -> None:
    running = tracing("execsnoop", "--capture", f"ppid={os.getpid()}", "--check")
    running.process.send_signal(signal.SIGSTOP)  # nobody reads the stream now
    for _ in range(PRIME):
        run_programs(PRIME)
    running.process.send_signal(signal.SIGCONT)
    outcome = running.finish()
    assert outcome.status == 0, outcome.err
    assert len(outcome.rows) == PRIME * PRIME
    assert_balanced(outcome.summary)


def test_a_signal_in_the_middle_of_a_line_cuts_nothing(tmp_path: Path) -> None:
    storm, summary = Storm(5_000), tmp_path / "summary"
    process = subprocess.Popen(
        [
            *(*RINGTOP, "trace", "unlinksnoop", "--format", "json", "--summary", str(summary)),
            *("--capture", f"ppid={os.getpid()}", "--buffer", "16M"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},  # with it, Python's own standard output forgets what is left
    )
    assert process.stderr is not None
    assert b": tracing " in process.stderr.readline()
    storm.run()
    writes = f"{'1' if os.uname().machine == 'x86_64' else '64'} 0x1 "  # asm/unistd.h: write, to standard output
    assert eventually(lambda: Path(f"/proc/{process.pid}/syscall").read_text().startswith(writes))
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=120)
    assert len([json.loads(line) for line in out.splitlines()]) == storm.total
    assert json.loads(summary.read_text())["unlinksnoop"]["received"] == storm.total


def test_count_and_duration_end_it(tracing: Tracing) -> None:
    running = tracing("execsnoop", "--capture", f"ppid={os.getpid()}", "--count", str(PRIME))
    run_programs(2 * PRIME)
    outcome = running.wait()
    assert (outcome.status, len(outcome.rows)) == (0, PRIME)
    assert ringtop("trace", "execsnoop", "--duration", "0.5", "-q").returncode == 0


def test_a_low_limit_of_open_files_is_raised(tmp_path: Path) -> None:
    """Perf buffers take a file for each CPU, and twice as many while they change."""
    command = ("prlimit", "--nofile=24:4096", *RINGTOP)
    change = ("--after", "0.1", "buffer=128K", "--duration", "1")
    arguments = (*SCHEMAS, "--transport", "perfbuf", "--capture", f"ppid={os.getpid()}", *change)
    with running(arguments, tmp_path / "summary.json", command) as trace:
        outcome = trace.wait()
    assert outcome.status == 0, outcome.err
    assert all(len(program["changes"]) == 1 for program in outcome.summary.values())


def test_a_limit_of_open_files_that_cannot_be_raised() -> None:
    """Not even by root, without CAP_SYS_RESOURCE."""
    limited = ("prlimit", "--nofile=100:100", "setpriv", "--bounding-set=-sys_resource")
    outcome = ringtop("trace", *SCHEMAS, "--transport", "perfbuf", prefix=limited)
    needed = 128 + 2 * len(SCHEMAS) * len(online_cpus())
    assert outcome.returncode == 3
    assert f"at most 100 files may be open here, and {needed} may be needed" in outcome.stderr
    assert f"ulimit -n {needed}" in outcome.stderr


def test_without_the_tracepoints_of_system_calls(tmp_path: Path) -> None:
    """As without CONFIG_FTRACE_SYSCALLS: the execs that succeed are seen, and the others are said to be missing."""
    hide = 'mount -t tmpfs none /sys/kernel/tracing/events/syscalls && exec "$@"'
    command = ("unshare", "--mount", "sh", "-c", hide, "sh", *RINGTOP)
    arguments = ("execsnoop", "--loader", "core", "--capture", f"ppid={os.getpid()} and comm=true")
    with running(arguments, tmp_path / "summary.json", command) as trace:
        pids = run_programs(PRIME)
        outcome = trace.finish()
    assert [row["pid"] for row in outcome.rows] == pids
    assert_balanced(outcome.summary)
    assert "without execs that fail: no tracepoint syscalls:" in outcome.err
