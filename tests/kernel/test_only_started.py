"""While the capture filter keeps out all failures, execsnoop is attached to no system call, which would make every call
of the machine slower."""

from __future__ import annotations

import json
import os
import subprocess

import numpy as np
import pytest

from ringtop.bpf import stream
from ringtop.bpf.collector.start import start_tracer
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.loaders import Loader
from ringtop.bpf.kernel import syscall
from ringtop.bpf.kernel.core_loader import CoreProgram
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.handle import CannotLoad
from ringtop.bpf.kernel.ladder import Hook
from ringtop.bpf.kernel.loader import load
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.lines.summary import summarize
from tests.kernel.loads import fail_programs, run_programs
from tests.kernel.test_control import Listener
from tests.kernel.tracing import BY_EACH_LOADER, PRIME, assert_balanced

CALLS = {"sys_exit_execve", "sys_exit_execveat"}
ABSENT = "/nonexistent/program"


def attached() -> set[str]:
    """The tracepoints to which this process has attached a program, by the kernel."""
    listed = json.loads(subprocess.run(["/usr/sbin/bpftool", "-j", "perf"], capture_output=True, check=True).stdout)
    return {one["tracepoint"] for one in listed if one["pid"] == os.getpid()}


@BY_EACH_LOADER
def test_system_calls_are_hooked_only_while_failures_are_wanted(loader: Loader) -> None:
    tracer = start_tracer("execsnoop", Kernel(), CollectorOptions(capture="ret=0", loader=loader))
    try:
        assert attached() == {"sched_process_exec"}
        assert "failures" not in tracer.state.hook
        assert "failures" in tracer.state.without
        for capture in ("ret=-2", "ret!=0", "uid=0", ""):
            tracer.set_capture(capture)
            assert attached() == {"sched_process_exec"} | CALLS
            assert tracer.state.hook.endswith("for failures")
            assert not tracer.state.without
            tracer.set_capture("comm=true and ret>=0")
            assert attached() == {"sched_process_exec"}
    finally:
        tracer.close()


@BY_EACH_LOADER
def test_no_event_is_lost_or_wrong_when_failures_come_to_be_wanted_and_no_more(loader: Loader) -> None:
    """Each time as many programs are started as fail."""
    mine = f"ppid={os.getpid()}"
    listener = Listener("--capture", f"{mine} and ret=0", "--loader", loader)
    expected: list[tuple[int, int, str]] = []
    try:
        for capture in (mine, f"{mine} and ret=0", f"{mine} and ret=-2", f"{mine} and ret=0", ""):
            told = [m for m in listener.seen if isinstance(m, stream.State)][-1].capture
            started, failed = run_programs(PRIME), fail_programs(PRIME, ABSENT)
            if not told.endswith("ret=-2"):
                expected += [(pid, 0, "/bin/true") for pid in started]
            if not told.endswith("ret=0"):
                expected += [(pid, -2, ABSENT) for pid in failed]
            if capture:
                listener.client.send(stream.SetCapture(capture))
                assert listener.until(stream.State).capture == capture
        listener.client.send(stream.Stop())
        listener.until(stream.End)
    finally:
        listener.client.close()
    batches = [stream.batch(rows) for m in listener.seen if isinstance(m, stream.Round) for rows in m.batches]
    rows = [
        (int(row["pid"]), int(row["ret"]), name.decode())
        for batch in batches
        for row, name in zip(batch.rows, batch.text("filename"), strict=True)
    ]
    assert rows == expected
    assert not any(batch.rows["truncated"].any() for batch in batches)
    stats = [m for m in listener.seen if isinstance(m, stream.Stats)][-1]
    assert_balanced(summarize(stats, {}))


def test_hooks_that_cannot_be_attached_leave_the_old_filter_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    tracer = start_tracer("execsnoop", Kernel(), CollectorOptions(capture="ret=0"))
    attach = CoreProgram.attach

    def refuse(program: CoreProgram, hook: Hook) -> None:
        if hook.target == "syscalls:sys_exit_execve":
            raise CannotLoad("no more")
        attach(program, hook)

    monkeypatch.setattr(CoreProgram, "attach", refuse)
    try:
        with pytest.raises(CannotTrace, match="sys_exit_execve: no more"):
            tracer.set_capture("")
        assert attached() == {"sched_process_exec"}
        assert tracer.state.capture == "ret=0"
        monkeypatch.undo()
        tracer.set_capture("")
        assert attached() >= CALLS
    finally:
        tracer.close()


def test_a_call_in_flight_as_its_hooks_go_is_forgotten() -> None:
    """Else its arguments would be taken for those of the thread's next call that is seen to return but not to enter."""
    kernel = Kernel()
    vars(kernel)["no_call_registers"] = "they were taken away"
    loaded = load("execsnoop", kernel, ringbuf=True)
    nobody, request = 4_000_000, np.zeros(2, np.uint64)
    try:
        loaded.attach()
        requests = loaded.map_fd("requests")
        syscall.map_update(requests, nobody, bytes(16))
        syscall.map_lookup(requests, nobody, request)
        loaded.see_failures(False)
        with pytest.raises(FileNotFoundError):
            syscall.map_lookup(requests, nobody, request)
    finally:
        loaded.close()
