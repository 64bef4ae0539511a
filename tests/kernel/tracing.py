"""Runs of the real command on the real kernel, over processes that the tests start themselves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from ringtop.bpf.common.loaders import LOADERS
from ringtop.bpf.event.schema import SCHEMAS

RINGTOP = (sys.executable, "-m", "ringtop.tui")
PRIME = 23
BY_EACH_LOADER = pytest.mark.parametrize("loader", LOADERS)
"""For tests that start what they look at with the fixture ``tracing``, or take ``loader``."""


@dataclass
class Outcome:
    """What a finished `ringtop trace` left."""

    status: int
    lines: list[str]
    summary: dict[str, Any]
    """The ledger, by program."""
    cost: dict[str, Any]
    err: str

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """Of JSON."""
        return [json.loads(line) for line in self.lines]


@dataclass
class Running:
    """A `ringtop trace` whose programs are attached."""

    process: subprocess.Popen[str]
    summary: Path
    _err: list[str] = field(default_factory=list)
    _out: list[str] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)

    def listen(self, programs: int) -> None:
        """Begin to read all that it tells; return once so many *programs* are attached. Raises NotTracing."""
        attached = threading.Event()

        def read_err() -> None:
            assert self.process.stderr is not None
            for line in self.process.stderr:
                self._err.append(line)
                if sum(": tracing " in told for told in self._err) == programs:
                    attached.set()
            attached.set()

        def read_out() -> None:
            assert self.process.stdout is not None
            self._out.extend(self.process.stdout)

        self._threads += [threading.Thread(target=read, daemon=True) for read in (read_err, read_out)]
        for thread in self._threads:
            thread.start()
        attached.wait()
        if sum(": tracing " in told for told in self._err) < programs:
            raise NotTracing(self.wait())

    def finish(self) -> Outcome:
        """Stop it as Ctrl+C does, and hear it out."""
        self.process.send_signal(signal.SIGINT)
        return self.wait()

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """The collector reads nothing meanwhile, so that what happens must overflow a small buffer."""
        pid = self.process.pid
        (collector,) = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        os.kill(collector, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(collector, signal.SIGCONT)

    def wait(self) -> Outcome:
        """Wait until it ends by itself."""
        status = self.process.wait()
        for thread in self._threads:
            thread.join()
        summary = json.loads(self.summary.read_text()) if self.summary.exists() and self.summary.stat().st_size else {}
        return Outcome(status, self._out, summary, summary.pop("cost", {}), "".join(self._err))


Tracing = Callable[..., Running]


class NotTracing(AssertionError):
    """A `ringtop trace` ended before its programs were attached."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.err)
        self.outcome = outcome


@contextmanager
def running(
    arguments: Sequence[str], summary: Path, command: Sequence[str] = RINGTOP, style: str = "json"
) -> Iterator[Running]:
    """`ringtop trace` with *arguments*, which writes its ledger to the file *summary*; killed if it has not ended."""
    words = [*command, "trace", *arguments, "--format", style, "--summary", str(summary)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        trace = Running(process, summary)
        trace.listen(len(SCHEMAS.keys() & set(arguments)))
        yield trace
    finally:
        process.kill()
        process.wait()


def assert_balanced(summary: dict[str, Any]) -> None:
    """emitted = received + dropped on every CPU, and the holes in the numbers are the drops."""
    for program, p in summary.items():
        for cpu in p["per_cpu"]:
            dropped = sum(cpu["dropped"].values())
            assert cpu["residual"] == 0, (program, cpu)
            assert cpu["emitted"] == cpu["received"] + dropped, (program, cpu)
            assert cpu["hits"] == cpu["emitted"] + cpu["filtered"], (program, cpu)
            assert cpu["gaps"] == dropped, (program, cpu)
            assert cpu["lost_records"] <= dropped, (program, cpu)


def assert_explained(outcome: Outcome, total: int) -> None:
    """Every event of the storm is either a row or a drop, and the rows' numbers show where the drops were."""
    (ledger,) = outcome.summary.values()
    assert ledger["emitted"] == total
    assert_balanced(outcome.summary)
    rows = Counter(r["cpu"] for r in outcome.rows)
    for cpu in ledger["per_cpu"]:
        numbers = sorted(r["seq"] for r in outcome.rows if r["cpu"] == cpu["cpu"])
        assert len(set(numbers)) == len(numbers), "an event twice"
        assert rows[cpu["cpu"]] == cpu["received"]
        missing = set(range(cpu["emitted"])) - set(numbers)
        assert len(missing) == sum(cpu["dropped"].values())
        assert cpu["gaps"] == len(missing)
