"""Every program on every rung of its ladder over both transports: 23 of each event happen, and 23 are told."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import ANY

from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.ladder import Rung, ladder
from tests.kernel.loads import Waits, delete_files, fail_programs, run_programs
from tests.kernel.tracing import PRIME, Running, assert_balanced
from tests.kernels.guest import Line

_ABSENT = "/nonexistent/program"
_Row = dict[str, Any]
_Told = list[tuple[Any, ...]]
_Judge = Callable[[list[_Row]], tuple[_Told, _Told]]
"""Takes all rows; what of them is of interest, and what that should be."""


def _start(arguments: list[str], summary: Path) -> Running:
    """A trace that is attached."""
    command = [sys.executable, "-m", "tests.kernels.forced", *arguments, "--format", "json", "--summary", str(summary)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    running = Running(process, summary)
    running._threads.append(threading.Thread(target=running._out.extend, args=(process.stdout,), daemon=True))
    running._threads[0].start()
    for line in process.stderr:
        running._err.append(line)
        if ": tracing " in line:
            return running
    process.wait()
    raise AssertionError(" ".join("".join(running._err).split()) or f"exit status {process.returncode}")


def _execsnoop(knows: frozenset[str]) -> _Judge:
    parent = os.getpid() if "ppid" in knows else ANY
    pids = run_programs(PRIME)
    fail_programs(PRIME, _ABSENT)

    def judge(rows: list[_Row]) -> tuple[_Told, _Told]:
        done = [("/bin/true", 0, pid, parent, ["/bin/true", "first", f"number {i}", ""]) for i, pid in enumerate(pids)]
        failed = [(_ABSENT, -2, ANY, parent, [_ABSENT, str(i)]) for i in range(PRIME)]
        return [(r["filename"], r["ret"], r["pid"], r["ppid"], r["argv"]) for r in rows], [*done, *failed]

    return judge


def _unlinksnoop(knows: frozenset[str]) -> _Judge:
    parent = os.getppid() if "ppid" in knows else ANY
    folder = Path(tempfile.mkdtemp())
    delete_files(folder, PRIME)

    def judge(rows: list[_Row]) -> tuple[_Told, _Told]:
        kinds = (("unlink", 0, "file"), ("rmdir", 0, "folder"), ("unlink", -2, "missing"))
        expected = [(op, ret, f"{folder}/{name} {i}", parent) for i in range(PRIME) for op, ret, name in kinds]
        return [(r["op"], r["ret"], r["path"], r["ppid"]) for r in rows if r["pid"] == os.getpid()], [*expected]

    return judge


def _runqslower(knows: frozenset[str]) -> _Judge:
    parent = os.getpid() if "ppid" in knows else ANY
    kinds: list[tuple[int, int, bool]] = []
    for preempted in (False, True):
        waits = Waits(preempted)
        try:
            waits.force(PRIME)
        finally:
            waits.close()
        kinds.append((waits.victim, waits.hog, preempted))

    def judge(rows: list[_Row]) -> tuple[_Told, _Told]:
        told: list[_Row] = []
        expected: _Told = []
        for victim, hog, preempted in kinds:
            its = [r for r in rows if (r["tid"], r["preempted"]) == (victim, preempted)]
            # On an emulated machine others may run between the two: more waits, or the same one with another before it.
            its.sort(key=lambda r: r["prev_tid"] != hog)
            told += its[: max(PRIME, sum(r["prev_tid"] == hog for r in its))]
            expected += [(victim, victim if "pid" in knows else ANY, parent)] * PRIME
        return [(r["tid"], r["pid"], r["ppid"]) for r in told], expected

    return judge


_FIRE: dict[str, Callable[[frozenset[str]], _Judge]] = {
    "runqslower": _runqslower,
    "execsnoop": _execsnoop,
    "unlinksnoop": _unlinksnoop,
}
"""Make events happen. What the hook *knows* includes fields read by offset: the first to be wrong on another kernel."""


def _try(program: str, transport: str, number: int, rung: Rung) -> int:
    """How many events were told, all as they happened. Raises AssertionError."""
    with tempfile.TemporaryDirectory() as folder:
        running = _start([str(number), "trace", program, "--transport", transport], Path(folder) / "summary.json")
        try:
            judge = _FIRE[program](rung.knows)
            outcome = running.finish()
        finally:
            running.process.kill()
    assert outcome.status == 0, outcome.err
    told, expected = judge(outcome.rows)
    assert told == expected, f"{len(told)} for {len(expected)}; {_difference(told, expected)}"
    assert_balanced(outcome.summary)
    ledger = outcome.summary[program]
    assert ledger["hook"].startswith(rung.name), ledger["hook"]  # a variant's name may follow
    assert ledger["transport"] == transport
    assert not sum(ledger["dropped"].values()), ledger["dropped"]
    assert ledger["emitted"] == len(outcome.rows), f"{ledger['emitted']} emitted, {len(outcome.rows)} rows"
    return len(told)


def _difference(told: _Told, expected: _Told) -> str:
    at = next(
        (i for i, (a, b) in enumerate(zip(told, expected, strict=False)) if a != b), min(len(told), len(expected))
    )
    return f"at {at} {told[at : at + 1]} instead of {expected[at : at + 1]}"


def check() -> Iterator[Line]:
    """A line for each combination."""
    kernel = Kernel()
    transports = ["ringbuf", "perfbuf"]
    if kernel.no_ringbuf:
        transports.remove("ringbuf")
        yield Line(f"no ring buffer: {kernel.no_ringbuf}")
    for program in SCHEMAS:
        for number, rung in enumerate(ladder(program, kernel)):
            if rung.missing:
                yield Line(f"{program:11} -        not offered: {rung.name}: {rung.missing}")
                continue
            for transport in transports:
                try:
                    count = f"{_try(program, transport, number, rung):3}"
                    problem = ""
                except AssertionError as e:
                    count, problem = "  !", str(e)
                yield Line(f"{program:11} {transport}  {count}  {rung.name}", problem)
