"""`ringtop bench --start`: the cost of starting, compared with libbpf-tools' execsnoop and with the loader bcc."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from operator import truediv
from pathlib import Path
from statistics import median
from typing import Any

from ringtop.bpf.bench.launch import Launch, NotStarted, launch
from ringtop.bpf.bench.progress import progress
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.privilege import PATH
from ringtop.bpf.event.schema import usual

_ROW = re.compile(rb"\n.*\n")
"""The sign of a tracer: a row below the head of the table."""
_FRAME = re.compile(rb"execsnoop")
"""The sign of the viewer: the title of a table."""
_LINGER_S = 1.0
"""Seconds that the viewer runs before its memory is looked at."""
_TRACE = ("trace", "--quiet", "--count", "1")
_LIBBPF_TOOLS = "execsnoop of libbpf-tools"
_HEAD = """\
     to libbpf-tools      to loader bcc          absolute
  first  whole    CPU  first  whole    CPU    first   whole     CPU"""
"""What stands above the figures of a command; its name stands before them."""
_PROCESSES = "    CPU    peak"
_LEGEND = """\
first: time from the start of a command to its first event; to the first frame with the viewer, which has no event yet.
whole: to its end, with one event traced; libbpf-tools' execsnoop gets SIGINT after its first event.
ret=0: without the failures, which libbpf-tools' execsnoop does not show either. CPU: of all its
processes, user and system, until the first event or frame. peak: the most memory that was resident. to loader bcc: in
the ratio to the same with --loader bcc."""
_WIDTH = 96


@dataclass(frozen=True, slots=True)
class Start:
    """One command that is compared."""

    name: str
    command: tuple[str, ...]
    sign: re.Pattern[bytes] = _ROW
    linger: float = 0.0
    spawn: bool = True
    """Its sign takes events: programs are started for it to see."""
    twin: str = ""
    """The name of the command that differs in the loader alone."""


@dataclass(frozen=True, slots=True)
class Cost:
    """A command and its launches, one a round."""

    start: Start
    launches: tuple[Launch, ...]

    def figures(self) -> list[tuple[float, float, float]]:
        """Seconds until the first event, until the end, and of CPU time until the first event, round by round."""
        return [(one.sign_s, one.whole_s, one.cpu_s) for one in self.launches]

    def medians(self) -> list[float]:
        """The medians of ``figures``."""
        return [median(values) for values in zip(*self.figures(), strict=True)]

    def ratios(self, other: Cost) -> list[float]:
        """The medians of the ratios of ``figures`` to those of *other*, which are of the same rounds."""
        rounds = [tuple(map(truediv, a, b)) for a, b in zip(self.figures(), other.figures(), strict=True)]
        return [median(values) for values in zip(*rounds, strict=True)]

    def processes(self) -> list[tuple[str, float, int]]:
        """Name, CPU time in seconds and peak in bytes of each process; medians."""
        names = dict.fromkeys(process.name for one in self.launches for process in one.processes)
        found = []
        for name in names:
            same = [process for one in self.launches for process in one.processes if process.name == name]
            found.append((name, median(p.cpu_s for p in same), int(median(p.peak_bytes for p in same))))
        return found


def run(as_json: bool, rounds: int) -> int:
    """Measure, print, and return the exit status. Raises CannotTrace."""
    if os.geteuid() != 0:
        raise CannotTrace("cannot measure", "loading BPF programs needs root", "Run it as root: sudo ringtop bench")
    starts, notes = _starts(sys.orig_argv[: len(sys.orig_argv) - len(sys.argv) + 1])
    launches: dict[str, list[Launch]] = {start.name: [] for start in starts}
    with progress() as show:
        for number in range(rounds):
            for start in starts:
                show(f"round {number + 1} of {rounds}: {start.name}")
                try:
                    launches[start.name].append(launch(start.command, start.sign, start.linger, start.spawn))
                except NotStarted as e:
                    raise CannotTrace(f"{start.name} did not start", str(e), "`ringtop doctor` tells why.") from e
    costs = {start.name: Cost(start, tuple(launches[start.name])) for start in starts}
    print(json.dumps(_as_json(costs, notes), indent=2) if as_json else _as_text(costs, notes))
    return 0


def _starts(ringtop: Sequence[str]) -> tuple[list[Start], list[str]]:
    """The commands to compare, where *ringtop* is the command of ringtop itself; and what is missing, with the cure."""
    starts, notes = [], []
    if peer := _libbpf_tools():
        starts.append(Start(_LIBBPF_TOOLS, (peer,)))
    else:
        notes.append(
            "libbpf-tools' execsnoop is not installed, so there are no ratios to it. Install the package libbpf-tools."
        )
    by_bcc = _has_bcc()
    if not by_bcc:
        notes.append(
            "bcc is not installed, so there are no ratios to its loader. Install python3-bpfcc (Fedora: python3-bcc)."
        )
    for name, programs in (
        ("trace execsnoop", ("execsnoop",)),
        ("trace execsnoop, ret=0", ("execsnoop", "--capture", "ret=0")),
        ("trace, all programs", usual()),
    ):
        twin = f"{name}, bcc" if by_bcc else ""
        starts.append(Start(name, (*ringtop, *_TRACE, *programs), twin=twin))
        if by_bcc:
            starts.append(Start(twin, (*ringtop, *_TRACE, *programs, "--loader", "bcc")))
    starts.append(Start("viewer", (*ringtop, "--no-keep-state"), _FRAME, _LINGER_S, spawn=False))
    return starts, notes


def _libbpf_tools() -> str:
    """The path of libbpf-tools' execsnoop; empty where there is none. bcc's tool of that name is a script."""
    for name in ("execsnoop", "bpf-execsnoop"):
        found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{PATH}")
        if found:
            with Path(found).open("rb") as program:
                if program.read(4) == b"\x7fELF":
                    return found
    return ""


def _has_bcc() -> bool:
    try:
        import bcc
    except Exception:  # a broken one raises anything
        return False
    return hasattr(bcc, "BPF")


def _compared(costs: dict[str, Cost], cost: Cost) -> tuple[list[float], list[float]]:
    """The ratios of *cost* to libbpf-tools and to its twin; empty where there is nothing to compare with."""
    peer, twin = costs.get(_LIBBPF_TOOLS), costs.get(cost.start.twin)
    tracer = cost.start.sign is _ROW
    return cost.ratios(peer) if peer and tracer else [], cost.ratios(twin) if twin else []


def _as_text(costs: dict[str, Cost], notes: list[str]) -> str:
    wide = max(map(len, costs), default=0)
    lines = [*(textwrap.fill(f"Note: {note}", _WIDTH) for note in notes), "", textwrap.indent(_HEAD, " " * wide)]
    for name, cost in costs.items():
        peer, twin = _compared(costs, cost)
        ratios = "".join(f"{one:6.2f}x" for one in peer) or " " * 21
        ratios += "".join(f"{one:6.2f}x" for one in twin) or " " * 21
        first, whole, cpu = cost.medians()
        ended = f"{whole:7.3f}s" if cost.start.sign is _ROW else " " * 8
        lines.append(f"{name:{wide}}{ratios}{first:8.3f}s{ended}{cpu:7.3f}s")
    labels = {f"{name}: {process[0]}": process for name, cost in costs.items() for process in cost.processes()}
    wide = max(map(len, labels), default=0)
    lines += ["", f"{'processes':{wide}}{_PROCESSES}"]
    lines += [f"{name:{wide}}{cpu:6.3f}s{peak / (1 << 20):7.1f}M" for name, (_, cpu, peak) in labels.items()]
    return "\n".join([*lines, "", textwrap.fill(_LEGEND.replace("\n", " "), _WIDTH)])


def _as_json(costs: dict[str, Cost], notes: list[str]) -> dict[str, Any]:
    names = ("first", "whole", "cpu")
    starts = []
    for name, cost in costs.items():
        peer, twin = _compared(costs, cost)
        starts.append(
            {
                "name": name,
                "to_libbpf_tools": dict(zip(names, peer, strict=False)),
                "to_bcc": dict(zip(names, twin, strict=False)),
                **dict(zip(("first_s", "whole_s", "cpu_s"), cost.medians(), strict=True)),
                "processes": [
                    {"name": process, "cpu_s": cpu, "peak_bytes": peak} for process, cpu, peak in cost.processes()
                ],
                "launches": [asdict(one) for one in cost.launches],
            }
        )
    return {"starts": starts, "notes": notes}
