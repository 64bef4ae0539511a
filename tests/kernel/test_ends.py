"""Processes end in known ways, and as many rows tell how and after what time: by each loader, on both transports."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import time

import pytest

from tests.kernel.loads import SIGNALS, child, end_processes
from tests.kernel.tracing import BY_EACH_LOADER, PRIME, Tracing, assert_balanced

ME = f"ppid={os.getpid()}"


@BY_EACH_LOADER
@pytest.mark.parametrize("transport", ["ringbuf", "perfbuf"])
def test_every_end_is_a_row(tracing: Tracing, transport: str) -> None:
    running = tracing("exitsnoop", "--transport", transport, "--capture", ME)
    statuses = end_processes(PRIME)
    outcome = running.finish()
    assert {r["pid"]: r["status"] for r in outcome.rows} == statuses
    assert len(outcome.rows) == PRIME
    named = {r["status"]: r["signal"] for r in outcome.rows}
    assert {named[-number] for number in SIGNALS} == {"SIGKILL", "SIGTERM", "SIGSEGV", "SIGRTMIN+3"}
    assert {name for status, name in named.items() if status >= 0} == {None}
    assert all(r["ran_us"] == r["age_us"] > 0 for r in outcome.rows), "no exec was seen"
    assert {(r["ppid"], r["uid"], r["core"]) for r in outcome.rows} == {(os.getpid(), os.getuid(), False)}
    assert_balanced(outcome.summary)
    assert outcome.summary["exitsnoop"]["emitted"] == PRIME


def test_the_kernel_sends_only_what_is_asked_for(tracing: Tracing) -> None:
    running = tracing("exitsnoop", "--capture", f"{ME} and (status<0 or status>3) and ran>=1us")
    ways = (lambda: os._exit(3), lambda: os.kill(os.getpid(), signal.SIGKILL), lambda: os._exit(4), lambda: None)
    pids = []
    for way in ways:
        pids.append(child(way))
        os.waitpid(pids[-1], 0)
    outcome = running.finish()
    assert [(r["pid"], r["signal"], r["status"]) for r in outcome.rows] == [
        (pids[1], "SIGKILL", -9),
        (pids[2], None, 4),
    ]
    assert_balanced(outcome.summary)


def test_how_long_it_ran_and_how_long_before_its_exec(tracing: Tracing) -> None:
    def wait_and_sleep() -> None:
        time.sleep(0.05)
        os.execv("/bin/sleep", ["sleep", "0.1"])

    running = tracing("execsnoop", "exitsnoop", "--capture", ME)
    before = time.monotonic_ns()
    pid = child(wait_and_sleep)
    os.waitpid(pid, 0)
    whole = (time.monotonic_ns() - before) / 1000
    outcome = running.finish()
    began, ended = ((r["age_us"], r) for r in outcome.rows if r["pid"] == pid)
    assert 50_000 <= began[0] < ended[0] <= whole
    assert ended[1]["comm"] == "sleep"
    assert 100_000 <= ended[1]["ran_us"] < ended[0]
    assert ended[1]["ran_us"] == pytest.approx(ended[0] - began[0], abs=1000), "the exec was seen by both programs"


def end_all_at_once() -> None:
    """Eight threads and the first one end by themselves at the same time, each with a code of its own."""
    libc, together = ctypes.CDLL(None), threading.Barrier(9)
    exit_thread = {"x86_64": 60, "aarch64": 93}[os.uname().machine]

    def leave(code: int) -> None:
        together.wait()
        libc.syscall(exit_thread, code)

    for code in range(1, 9):
        threading.Thread(target=leave, args=(code,)).start()
    leave(9)


def test_a_process_whose_threads_end_at_once_ends_once(tracing: Tracing) -> None:
    running = tracing("exitsnoop", "--capture", ME)
    statuses = {}
    for _ in range(PRIME):
        pid = child(end_all_at_once)
        statuses[pid] = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    outcome = running.finish()
    assert len(outcome.rows) == PRIME
    assert {r["pid"]: r["status"] for r in outcome.rows} == statuses
    assert {r["pid"] - r["tid"] for r in outcome.rows} == {0}
