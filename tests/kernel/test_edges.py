"""Where the kernel, or the machine, is not as it mostly is."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ringtop.bpf.collector.doctor import _no_perf_buffers_later
from ringtop.bpf.collector.start import load_tracer, start_tracer
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.kernel import loader, syscall
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.ladder import Hook, Rung, ladder
from ringtop.bpf.kernel.probe import no_perf_buffers
from ringtop.bpf.options.collector import MIN_US, CollectorOptions
from ringtop.bpf.stream import Retune, Round, State, batch
from ringtop.tui.source.recording import read
from tests.kernel.loads import run_programs
from tests.kernel.tracing import PRIME, RINGTOP, Running, Tracing, assert_balanced
from tests.processes import eventually
from tests.terminal import Terminal

ME = f"ppid={os.getpid()}"
CPU = Path("/sys/devices/system/cpu/cpu1/online")
OPTIONS = CollectorOptions()


def test_a_grace_period_where_membarrier_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under nohz_full= and in some containers."""
    call, refused = syscall._call, []

    def refuse(which: int, *args: object) -> int:
        if which == 2:
            refused.append(args)
            raise OSError(22, os.strerror(22))
        return call(which, *args)

    monkeypatch.setattr(syscall, "_call", refuse)
    before = os.listdir("/proc/self/fd")
    syscall.wait_for_programs()
    assert refused
    assert os.listdir("/proc/self/fd") == before


def test_perf_buffers_that_only_root_may_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Debian's and Ubuntu's kernels have it from some level of perf_event_paranoid on."""

    def refuse(cpu: int, watermark: bool, wakeup: int) -> int:
        raise PermissionError(13, os.strerror(13))

    assert _no_perf_buffers_later() == "", "this kernel has no such patch"
    tracer = load_tracer("execsnoop", Kernel(), OPTIONS)
    try:
        monkeypatch.setattr(syscall, "perf_open", refuse)
        assert "kernel.perf_event_paranoid is" in _no_perf_buffers_later(), "doctor tells it"
        tracer.changes.no_perfbuf = no_perf_buffers()
        for change in (lambda: tracer.changes.retune(Retune(transport="other")), lambda: tracer.changes.compare(1)):
            with pytest.raises(CannotTrace, match=r"sysctl kernel\.perf_event_paranoid=2"):
                change()
        assert tracer.state.transport == "ringbuf"
        assert not tracer.changes.changing
    finally:
        tracer.close()


def test_the_next_rung_where_a_hook_cannot_be_attached(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what was in the way is told."""

    def broken(program: str, kernel: Kernel) -> list[Rung]:
        first, *rest = (rung for rung in ladder(program, kernel) if rung.name != "BTF tracepoints")
        return [replace(first, hooks=(*first.hooks, Hook("raw tracepoint", "nothing", "on_switch"))), *rest]

    monkeypatch.setattr(loader, "ladder", broken)
    tracer = start_tracer("runqslower", Kernel(), OPTIONS)
    try:
        state = tracer.state
        assert state.hook == "tracepoints"
        assert [tried.partition(":")[0] for tried in state.tried] == ["raw tracepoints with BTF"]
        assert "nothing: " in state.tried[0]
    finally:
        tracer.close()


@pytest.mark.parametrize(
    ("min_us", "capture", "least"),
    [
        (None, "", MIN_US * 1000),
        (None, "pid=1", MIN_US * 1000),
        (None, "latency>=1us", 1000),
        (50, "latency>=1us", 50_000),
    ],
)
def test_what_the_capture_filter_says_of_latency_holds(min_us: int | None, capture: str, least: int) -> None:
    """10 ms is for who says nothing."""
    tracer = load_tracer("runqslower", Kernel(), replace(OPTIONS, min_us=min_us, capture=capture))
    tracer.close()
    assert tracer.changes.capture.compiled.ranges[0].lo == least


def test_a_program_named_twice_runs_once(tracing: Tracing) -> None:
    command = [*RINGTOP, "trace", "execsnoop", "execsnoop", "--duration", "0.5", "--capture", "uid=1 and uid=2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0
    assert done.stderr.count(": tracing ") == 1


def test_a_recorder_does_not_record_itself(tmp_path: Path) -> None:
    """Which deletes nothing while it runs, but is started by us."""
    tmp_path.chmod(0o777)
    file = tmp_path / "own.ringtop"
    done = subprocess.run(
        [*RINGTOP, "record", str(file), "--capture", ME, "--duration", "1"], capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert file.stat().st_size > 0
    assert list(read(file))
    assert b" 0 events" in b" " + done.stderr.splitlines()[-1].removeprefix(b"ringtop: "), done.stderr


def test_a_recording_on_standard_output(tmp_path: Path) -> None:
    """As for `ssh HOST ringtop record - >FILE`."""
    file = tmp_path / "file.ringtop"
    with file.open("wb") as out:
        command = [*RINGTOP, "record", "-", "--program", "execsnoop", "--capture", ME]
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        assert eventually(
            lambda: file.stat().st_size > 0 and any(isinstance(m, State) and m.state == "running" for m in read(file))
        )
        run_programs(PRIME)
        process.terminate()
        assert process.wait(120) == 0
    assert sum(len(batch(rows)) for m in read(file) if isinstance(m, Round) for rows in m.batches) == PRIME


def test_a_recording_is_not_written_to_a_terminal() -> None:
    terminal = Terminal([*RINGTOP, "record", "-"])
    try:
        assert terminal.wait() == 2
        assert "a recording is not for a terminal" in terminal.text
    finally:
        terminal.close()


@pytest.mark.parametrize(("sudo", "owner"), [("", 0), ("65534", 65534)])
def test_a_recording_belongs_to_who_asked(sudo: str, owner: int) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # which that user gets to
        Path(folder).chmod(0o777)
        file = Path(folder) / "file.ringtop"
        command = [*RINGTOP, "record", str(file), "--capture", ME, "--duration", "0.1", "--mode", "0640"]
        who = os.environ | {"SUDO_UID": sudo}
        done = subprocess.run(command, env=who, capture_output=True, timeout=120, check=True)
        assert done.stderr.endswith(b" bytes, mode 0640)\n")
        assert (file.stat().st_uid, oct(file.stat().st_mode & 0o777)) == (owner, "0o640")


@pytest.fixture
def second_cpu() -> Iterator[Path]:
    """Can be switched off; is on afterwards."""
    assert CPU.exists(), "needs a second CPU that can be switched off"
    yield CPU
    CPU.write_text("1")


def seen(running: Running, cpu: int) -> set[int]:
    """Programs whose start on *cpu* was printed."""
    rows = [json.loads(line) for line in list(running._out)]
    return {row["pid"] for row in rows if row["cpu"] == cpu}


def test_a_cpu_that_was_off_for_a_moment(tracing: Tracing, second_cpu: Path) -> None:
    """The kernel has shut down its perf buffer: what finds no reader is counted, and soon there is another."""
    running = tracing("execsnoop", "--transport", "perfbuf", "--capture", ME)
    second_cpu.write_text("0")
    second_cpu.write_text("1")
    os.sched_setaffinity(0, {1})
    try:

        def revived() -> bool:
            run_programs(1)
            return bool(seen(running, 1))

        assert eventually(revived)
        started = set(run_programs(PRIME))
        assert eventually(lambda: started <= seen(running, 1))
    finally:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    summary = running.finish().summary
    assert_balanced(summary)
    assert summary["execsnoop"]["dropped"]["no_reader"] > 0


@pytest.mark.parametrize("loader", ["bcc"])
def test_the_compiler_leaves_little_in_memory(tracing: Tracing) -> None:
    """It takes twice as much while the programs are loaded."""
    running = tracing("runqslower", "execsnoop", "unlinksnoop", "--capture", ME)
    pid = running.process.pid
    (collector,) = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())

    def kib(name: str) -> int:
        status = Path(f"/proc/{collector}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith(name)))

    assert eventually(lambda: kib("VmRSS") < 0.75 * kib("VmHWM")), (kib("VmRSS"), kib("VmHWM"))
    running.finish()
