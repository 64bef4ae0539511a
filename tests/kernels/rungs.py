"""Every program on every rung, by each loader and over both transports: 23 of each event happen, and 23 are told."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import ANY

from ringtop.bpf.common.loaders import LOADERS, Loader
from ringtop.bpf.common.transports import NAMES, TRANSPORTS
from ringtop.bpf.event.schema import SCHEMAS
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.ladder import FULL_PATHS, Rung, ladder
from tests.kernel.loads import Waits, delete_files, end_processes, fail_programs, run_programs
from tests.kernel.places import delete_from_places
from tests.kernel.tracing import PRIME, assert_balanced, running
from tests.kernels.trial import Trial, tried

_ABSENT = "/nonexistent/program"
_Row = dict[str, Any]
_Told = list[tuple[Any, ...]]
_Judge = Callable[[list[_Row]], tuple[_Told, _Told]]
"""Takes all rows; what of them is of interest, and what that should be."""


def _execsnoop(rung: Rung) -> _Judge:
    parent = os.getpid() if "ppid" in rung.knows else ANY
    started, failed = run_programs(PRIME), fail_programs(PRIME, _ABSENT)
    argv = [["/bin/true", "first", f"number {i}", ""] for i in range(PRIME)]
    expected = [("/bin/true", 0, pid, parent, words) for pid, words in zip(started, argv, strict=True)]
    if len(rung.hooks) > 1:  # one hook alone sees nothing but what was started
        expected += [(_ABSENT, -2, pid, parent, [_ABSENT, str(i)]) for i, pid in enumerate(failed)]

    def judge(rows: list[_Row]) -> tuple[_Told, _Told]:
        ours = [r for r in rows if r["pid"] in {*started, *failed}]
        return [(r["filename"], r["ret"], r["pid"], r["ppid"], r["argv"]) for r in ours], expected

    return judge


def _exitsnoop(rung: Rung) -> _Judge:
    statuses = end_processes(PRIME)

    def judge(rows: list[_Row]) -> tuple[_Told, _Told]:
        told = [(r["pid"], r["status"], r["ppid"]) for r in rows if r["pid"] in statuses]
        return told, [(pid, status, os.getpid()) for pid, status in statuses.items()]

    return judge


def _unlinksnoop(rung: Rung) -> _Judge:
    parent = os.getppid() if "ppid" in rung.knows else ANY
    folder = Path(tempfile.mkdtemp())
    delete_files(folder, PRIME)
    child, places = delete_from_places(folder)

    def judge(rows: list[_Row]) -> tuple[_Told, _Told]:
        kinds = (("unlink", 0, "file"), ("rmdir", 0, "folder"), ("unlink", -2, "missing"))
        expected = [(op, ret, f"{folder}/{name} {i}", parent) for i in range(PRIME) for op, ret, name in kinds]
        told = [(r["op"], r["ret"], r["path"], r["ppid"]) for r in rows if r["pid"] == os.getpid()]
        full = [(r["path"], r["full"]) for r in rows if r["pid"] == child]
        known = rung.variants[0].name == FULL_PATHS
        return [*told, *full], [*expected, *(pair if known else (pair[0], pair[0]) for pair in places)]

    return judge


def _runqslower(rung: Rung) -> _Judge:
    parent = os.getpid() if "ppid" in rung.knows else ANY
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
            expected += [(victim, victim if "pid" in rung.knows else ANY, parent)] * PRIME
        return [(r["tid"], r["pid"], r["ppid"]) for r in told], expected

    return judge


_FIRE: dict[str, Callable[[Rung], _Judge]] = {
    "runqslower": _runqslower,
    "execsnoop": _execsnoop,
    "unlinksnoop": _unlinksnoop,
    "exitsnoop": _exitsnoop,
}
"""Make events happen. What a rung knows includes fields read by offset: the first to be wrong on another kernel."""


def _try(program: str, transport: str, loader: Loader, number: int, rung: Rung) -> str:
    command = (sys.executable, "-m", "tests.kernels.forced", str(number))
    arguments = (program, "--transport", transport, "--loader", loader)
    with tempfile.TemporaryDirectory() as folder, running(arguments, Path(folder) / "summary.json", command) as trace:
        judge = _FIRE[program](rung)
        outcome = trace.finish()
    assert outcome.status == 0, f"exit status {outcome.status}: {outcome.err}"
    told, expected = judge(outcome.rows)
    assert told == expected, f"{len(told)} for {len(expected)}; {_difference(told, expected)}"
    assert_balanced(outcome.summary)
    ledger = outcome.summary[program]
    assert ledger["hook"].startswith(rung.name), ledger["hook"]  # a variant's name may follow
    assert (ledger["transport"], ledger["loader"]) == (transport, loader)
    assert not sum(ledger["dropped"].values()), ledger["dropped"]
    assert ledger["emitted"] == len(outcome.rows), f"{ledger['emitted']} emitted, {len(outcome.rows)} rows"
    return f"exact: {len(told)} of {len(expected)}{ledger['hook'].removeprefix(rung.name)}"


def _difference(told: _Told, expected: _Told) -> str:
    at = next(
        (i for i, (a, b) in enumerate(zip(told, expected, strict=False)) if a != b), min(len(told), len(expected))
    )
    return f"at {at} {told[at : at + 1]} instead of {expected[at : at + 1]}"


def _missing(kernel: Kernel, rung: Rung, loader: Loader) -> str:
    """Why *loader* does not offer *rung*; empty when it does."""
    no_core = kernel.btf if isinstance(kernel.btf, str) else "" if rung.object else "no object is compiled for it"
    no_bcc = "bcc is not used for it" if any(hook.kind == "BTF tracepoint" for hook in rung.hooks) else ""
    return rung.missing or (no_core if loader == "core" else no_bcc)


def check() -> Iterator[Trial]:
    """A trial for each combination."""
    kernel = Kernel()
    for program in SCHEMAS:
        for (number, rung), loader in product(enumerate(ladder(program, kernel)), LOADERS):
            what = {"program": program, "hook": rung.name, "loader": loader}
            if missing := _missing(kernel, rung, loader):
                yield Trial("Programs", what | {"transport": "any"}, f"not offered: {missing}", True)
                continue
            for transport in TRANSPORTS:
                way = what | {"transport": NAMES[transport]}
                if transport == "ringbuf" and kernel.no_ringbuf:
                    yield Trial("Programs", way, f"not offered: {kernel.no_ringbuf}", True)
                else:
                    yield tried("Programs", way, partial(_try, program, transport, loader, number, rung))
