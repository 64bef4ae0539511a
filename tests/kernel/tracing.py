"""Runs of the real command on the real kernel, over processes that the tests start themselves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

RINGTOP = (sys.executable, "-m", "ringtop.tui")
PRIME = 23


@dataclass
class Outcome:
    """What a finished `ringtop trace` left."""

    status: int
    lines: list[str]
    summary: dict[str, Any]
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
        status = self.process.wait(60)
        for thread in self._threads:
            thread.join()
        summary = json.loads(self.summary.read_text()) if self.summary.exists() and self.summary.stat().st_size else {}
        return Outcome(status, self._out, summary, "".join(self._err))


Tracing = Callable[..., Running]


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
