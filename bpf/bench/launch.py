"""A command on a terminal of its own, and what it has cost when it shows the first sign of its work."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_ROWS, _COLUMNS = 40, 200
_EVERY_MS = 5
"""Milliseconds between two programs started for a tracer to see."""
_LIMIT_S = 60.0
_NAMES = {b"broker.py": "broker", b"ringtop.bpf\0collect": "collector", b"ringtop helper": "helper"}
"""Names of processes, by what their command lines contain. The broker's has its collectors' in it."""


class NotStarted(Exception):
    """The command has not shown the sign; the text is the end of what it wrote."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a command."""

    name: str
    """``command`` for the one that was started, else its part in it."""
    cpu_s: float
    """CPU time in seconds, user and system, until the sign was shown."""
    peak_bytes: int
    """The most memory that was resident, until the end of the measurement."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A command that was started."""

    sign_s: float
    """Seconds from its start to the sign."""
    whole_s: float
    """Seconds from its start to its end."""
    processes: tuple[Process, ...]

    @property
    def cpu_s(self) -> float:
        """CPU time in seconds of all its processes."""
        return sum(process.cpu_s for process in self.processes)


def launch(command: Sequence[str], sign: re.Pattern[bytes], linger: float = 0.0, spawn: bool = True) -> Launch:
    """Start *command*, and end it *linger* seconds after it wrote *sign*, if it does not end by itself.

    With *spawn*, a program is started over and over until the sign, for a tracer to see. Raises NotStarted.
    """
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
    begin = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=_environment(),
        start_new_session=True,
    )
    os.close(follower)
    try:
        _wait_for(leader, sign, begin + _LIMIT_S, spawn)
        sign_s = time.perf_counter() - begin
        cpu = {pid: _cpu_s(pid) for pid in _tree(process.pid)}
        _read_for(leader, linger)
        found = tuple(Process(_name(pid, process.pid), cpu.get(pid, 0.0), _peak(pid)) for pid in _tree(process.pid))
    finally:
        process.send_signal(signal.SIGINT)
        while process.poll() is None:
            _read_for(leader, 0.01)
        os.close(leader)
    return Launch(sign_s, time.perf_counter() - begin, found)


def _environment() -> dict[str, str]:
    """Our own, on a terminal that Textual knows. Python keeps what it has compiled, as it does for users."""
    ours = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**ours, "TERM": "xterm-256color"}


def _wait_for(leader: int, sign: re.Pattern[bytes], limit: float, spawn: bool) -> None:
    seen = b""
    true = shutil.which("true") or "true"
    while not sign.search(seen):
        if time.perf_counter() > limit:
            raise NotStarted(_last(seen))
        if select.select([leader], (), (), _EVERY_MS / 1e3)[0]:
            try:
                seen += os.read(leader, 1 << 16)
            except OSError as e:  # nobody has the terminal open any more
                raise NotStarted(_last(seen)) from e
        elif spawn:
            os.waitpid(os.posix_spawn(true, [true], {}), 0)


def _last(seen: bytes) -> str:
    """The last line of a terminal's output, without what is not text."""
    lines = re.sub(rb"\x1b\[[0-?]*[ -/]*[@-~]|[^\n -~]", b"", seen).decode().strip().splitlines()
    return lines[-1] if lines else "it wrote nothing"


def _read_for(leader: int, seconds: float) -> None:
    """Read what is written, so that the writer does not wait."""
    end = time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        with suppress(OSError):
            if select.select([leader], (), (), left)[0]:
                os.read(leader, 1 << 16)


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # the thread has ended meanwhile
            for child in (task / "children").read_text().split():
                yield from _tree(int(child))


def _name(pid: int, top: int) -> str:
    if pid == top:
        return "command"
    line = Path(f"/proc/{pid}/cmdline").read_bytes()
    return next((name for words, name in _NAMES.items() if words in line), "other")


def _cpu_s(pid: int) -> float:
    """CPU time of a process, its ended threads included, by its clock (clock_getcpuclockid(3))."""
    return time.clock_gettime(~pid << 3 | 2)


def _peak(pid: int) -> int:
    """VmHWM of proc_pid_status(5) in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status[status.index("VmHWM:") + 6 :].split()[0]) << 10
