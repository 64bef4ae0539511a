"""Whatever becomes of one of ringtop's processes, and whatever ringtop does at the moment: the user is told, ringtop
ends with what it has to say or goes on, and nothing is left.

``EVERY=1`` tries every cell of the table (`make storm` does); otherwise each process and event meets one phase."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from tests.processes import attached, descendants, ended, eventually, gone, programs
from tests.terminal import Terminal

ME = f"ppid={os.getpid()}"
COLLECTOR = """
import sys, time
from pathlib import Path
from ringtop.bpf.collector import collect
from ringtop.bpf.collector.tracer import Tracer
from ringtop.bpf.kernel.loader import LoadedProgram

def hold(*_):
    Path({folder!r}, "reached").touch()
    time.sleep(3600)

place, name = {place}
if place:
    setattr(place, name, hold)

from ringtop.bpf.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
"""A collector that stays in a phase: what takes the kernel some milliseconds takes an hour."""
RINGTOP = """
import sys
from ringtop.tui.cli import start
from ringtop.tui.source import client

client.LOCAL = start.LOCAL = (sys.executable, "-c", {collector!r}, "collect")
client.Client.__init__.__defaults__ = (client.LOCAL, *client.Client.__init__.__defaults__[1:])

from ringtop.tui.cli.main import main
main()
"""
PLACES = {
    "loading": "collect, 'start_tracer'",
    "running": "None, ''",
    "switching": "LoadedProgram, 'wait_for_runs'",
    "leaving": "Tracer, 'stop'",
}
EVENTS = {
    "viewer": ("STOP", "KILL", "out of memory", "closed"),
    "broker": ("STOP", "KILL"),
    "collector": ("STOP", "KILL", "out of memory"),
    "trace": ("STOP", "KILL", "closed"),
    "record": ("STOP", "KILL", "closed"),
}
CELLS = [(process, event, phase) for process, events in EVENTS.items() for event, phase in product(events, PLACES)]
CELLS = [cell for cell in CELLS if (cell[0], cell[2]) != ("record", "switching")]  # it changes nothing
CELLS.remove(("collector", "out of memory", "loading"))  # it waits, and wants no more memory
SOME = [cell for number, cell in enumerate(CELLS) if number % 4 == number // 4 % 4]
PYTHON = os.fsencode(sys.executable) + b"\0-c\0"
SAID = {
    ("collector", "STOP"): "nothing from the collector for",
    ("collector", "KILL"): "killed by SIGKILL",
    ("collector", "out of memory"): "killed by SIGKILL",
}
"""What the viewer says, unless it is leaving."""


def line(pid: int) -> bytes:
    """Its command line; empty when it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


@dataclass
class Run:
    """A run of ringtop that is in a phase, with all its processes."""

    process: subprocess.Popen[bytes]
    terminal: Terminal | None
    folder: Path

    def __post_init__(self) -> None:
        self.pids: dict[str, int] = {}
        assert eventually(self._complete), self.terminal and self.terminal.screen

    def _complete(self) -> bool:
        below = descendants(self.process.pid)
        found = [pid for pid in below if b"\0collect\0" in line(pid)]
        brokers = [pid for pid in found if b"broker.py" in line(pid)]
        collectors = [pid for pid in found if pid not in brokers]
        viewers = [pid for pid in (self.process.pid, *below) if self.terminal and line(pid).startswith(PYTHON)]
        named = zip(("broker", "collector", "viewer"), (brokers, collectors, viewers), strict=True)
        self.pids = {name: pids[0] for name, pids in named if pids}
        return len(self.pids) == (1 if self.terminal is None else 3)

    def _handles_signals(self) -> bool:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return bool(int(status.split("SigCgt:")[1].split()[0], 16) >> signal.SIGTERM - 1 & 1)

    def leave(self) -> None:
        """Have it end, unless it ends already."""
        if self.terminal is not None:
            with suppress(OSError):  # it has hung up
                self.terminal.type("q")
        elif self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(1.5)
                return
            self.process.send_signal(signal.SIGINT)  # once more, of somebody who does not want to wait

    def reaches(self, phase: str) -> None:
        """Bring it into the phase."""
        terminal = self.terminal
        if terminal is None:
            assert eventually(self._handles_signals)
        if phase in ("running", "switching", "leaving"):
            assert attached(self.pids["collector"])
            if terminal is not None:
                assert terminal.shows("collector running"), terminal.screen
        if phase == "switching" and terminal is not None:
            terminal.type("t")
        if phase == "leaving" and terminal is not None:
            terminal.type("q")
        elif phase == "leaving":
            self.process.send_signal(signal.SIGINT)
        if phase != "running":
            assert eventually((self.folder / "reached").exists), terminal and terminal.screen
        self.all = [self.process.pid, *descendants(self.process.pid)]


def run_out_of_memory(pid: int) -> None:
    """Have the kernel kill a process for the memory that it wants next."""
    unified = Path("/sys/fs/cgroup/cgroup.controllers").exists()
    group = Path("/sys/fs/cgroup" if unified else "/sys/fs/cgroup/memory") / f"ringtop-test-{pid}"
    group.mkdir()
    try:
        (group / ("memory.max" if unified else "memory.limit_in_bytes")).write_text("0")
        (group / "cgroup.procs").write_text(str(pid))
        assert ended([pid])
    finally:
        assert eventually(lambda: not (group / "cgroup.procs").read_text())
        group.rmdir()


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[[str, str], Run]]:
    """Start a command, or the viewer, with a collector that stays in a phase."""
    runs: list[Run] = []

    def started(process: str, phase: str) -> Run:
        script = RINGTOP.format(collector=COLLECTOR.format(folder=str(folder), place=PLACES[phase]))
        words = [sys.executable, "-c", script]
        homes = {name: str(folder) for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME")}
        if process in ("viewer", "broker", "collector"):
            terminal = Terminal([*words, "--program", "execsnoop", "--capture", ME], 24, 120, **homes)
            runs.append(Run(terminal.process, terminal, folder))
        else:
            what = ["record", "-", "--program"] if process == "record" else ["trace"]
            if phase == "switching":
                what += ["--after", "0", "transport=other"]
            command = [*words, *what, "execsnoop", "--capture", ME]
            pipe = subprocess.PIPE
            runs.append(Run(subprocess.Popen(command, stdout=pipe, stderr=pipe), None, folder))
        runs[-1].reaches(phase)
        return runs[-1]

    yield started
    for run in runs:
        if run.terminal is not None:
            run.terminal.close()
        run.process.kill()
        run.process.communicate()


def happens(run: Run, victim: int, event: str) -> None:
    """Let it happen to the process *victim*."""
    match event:
        case "out of memory":
            run_out_of_memory(victim)
        case "closed" if run.terminal is not None:
            run.terminal.hang_up()
        case "closed":
            assert run.process.stdout is not None
            run.process.stdout.close()
        case _:
            os.kill(victim, signal.Signals[f"SIG{event}"])


@pytest.mark.parametrize(("process", "event", "phase"), CELLS if os.environ.get("EVERY") else SOME)
def test_nothing_is_left(start: Callable[[str, str], Run], process: str, event: str, phase: str) -> None:
    run = start(process, phase)
    terminal, ours = run.terminal, programs(run.pids["collector"])
    reads = run.pids.get("viewer", run.process.pid)
    victim = run.pids.get(process, reads)
    began = time.monotonic()
    happens(run, victim, event)
    if (process, event) in SAID and phase != "leaving" and terminal is not None:
        assert terminal.shows(SAID[process, event]), terminal.screen
        said, began = time.monotonic() - began, time.monotonic()
    else:
        said = 0.0
    if event == "STOP" and victim == reads:
        os.kill(victim, signal.SIGCONT)
    # A collector that says each second that it still detaches is waited for, as long as nobody minds.
    if event == "STOP" or victim != reads or (event == "closed" and phase in ("switching", "leaving")):
        run.leave()
    assert ended(run.all)
    assert gone(ours)
    if terminal is not None and terminal.leader >= 0 and victim != reads:
        assert terminal.attributes == terminal.before
    print(f"{process} | {event} | {phase} | said {said:.1f} s | left {time.monotonic() - began:.1f} s", file=sys.stderr)
