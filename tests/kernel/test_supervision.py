"""Each process notices when another was stopped, was killed or takes nothing more, says so, and leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kernel.loads import Storm
from tests.kernel.tracing import RINGTOP, Tracing
from tests.kernel.watcher import as_watcher
from tests.processes import called, descendants, ended, eventually, gone, programs
from tests.terminal import Terminal

pytestmark = pytest.mark.beside
ME = f"ppid={os.getpid()}"


class Watched:
    """A viewer whose programs run, and what belongs to it."""

    def __init__(self, terminal: Terminal) -> None:
        assert terminal.shows("collector running"), terminal.screen
        self.terminal = terminal
        self.viewer = called(b"ringtop.tui", terminal.process.pid)[0]
        self.processes = [self.viewer, *descendants(self.viewer)]
        self.broker = next((pid for pid in self.processes if b"broker.py" in self._line(pid)), 0)
        ours = [pid for pid in self.processes if b"ringtop.bpf\0collect" in self._line(pid) and pid != self.broker]
        self.collector = ours[-1]
        self.programs = programs(self.collector)
        assert self.programs

    @staticmethod
    def _line(pid: int) -> bytes:
        return Path(f"/proc/{pid}/cmdline").read_bytes()

    def send(self, number: int, *names: str) -> None:
        """Send a signal to each of those processes."""
        for name in names:
            os.kill(getattr(self, name), number)

    def left_nothing(self) -> bool:
        """Whether nothing of it stays."""
        return ended(self.processes) and gone(self.programs)


@pytest.fixture
def watch() -> Iterator[Callable[..., Watched]]:
    """Start the viewer, after the words of *prefix*."""
    started: list[Terminal] = []
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o777)

        def start(*prefix: str) -> Watched:
            homes = dict.fromkeys(("XDG_STATE_HOME", "XDG_CONFIG_HOME"), folder)
            started.append(Terminal((*prefix, *RINGTOP, "--capture", ME), 24, 120, **homes))
            return Watched(started[-1])

        yield start
        for terminal in started:
            terminal.close()


def test_a_silent_collector_is_told_of_and_can_be_replaced(watch: Callable[..., Watched]) -> None:
    watched = watch()
    watched.send(signal.SIGSTOP, "collector")
    assert watched.terminal.shows("nothing from the collector for", "collector running")
    watched.terminal.type("r")
    assert watched.terminal.shows("collector running", "nothing from"), watched.terminal.screen
    assert ended([watched.collector])
    assert gone(watched.programs)


def test_a_collector_that_goes_on_is_heard_again(watch: Callable[..., Watched]) -> None:
    watched = watch()
    watched.send(signal.SIGSTOP, "collector")
    assert watched.terminal.shows("nothing from the collector for")
    watched.send(signal.SIGCONT, "collector")
    assert watched.terminal.shows("collector running", "nothing from")


@pytest.mark.parametrize("how", ["q", signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("stopped", [("collector",), ("broker",), ("broker", "collector")], ids="+".join)
def test_leaving_while_others_are_stopped_leaves_nothing(
    watch: Callable[..., Watched], stopped: tuple[str, ...], how: str | int
) -> None:
    watched = watch()
    watched.send(signal.SIGSTOP, *stopped)
    if isinstance(how, str):
        watched.terminal.type(how)
    else:
        watched.send(how, "viewer")
    watched.terminal.process.wait(120)
    assert watched.left_nothing()


@pytest.mark.parametrize("pty", ["use_pty", "!use_pty"])
def test_a_users_viewer_that_is_killed_leaves_no_stopped_collector(
    watch: Callable[..., Watched], tmp_path: Path, pty: str
) -> None:
    """Which sudo has started, and which the user may not signal."""
    watched = watch(*as_watcher(tmp_path, pty))
    watched.send(signal.SIGSTOP, "collector")
    watched.send(signal.SIGKILL, "viewer")
    assert watched.left_nothing()


def test_without_its_broker_the_viewer_says_what_helps(watch: Callable[..., Watched]) -> None:
    watched = watch()
    watched.send(signal.SIGKILL, "broker")
    assert watched.terminal.shows("ended")
    watched.terminal.type("r")
    assert watched.terminal.shows("leave, and start ringtop again")
    watched.terminal.type("q")
    assert watched.terminal.wait() == 3
    assert watched.left_nothing()


def test_nobody_of_the_same_account_can_signal_a_collector(tracing: Tracing) -> None:
    running = tracing("execsnoop", "--capture", ME)
    (collector,) = called(b" collect ", running.process.pid)[-1:]
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    for pid in (running.process.pid, *descendants(running.process.pid)):
        assert subprocess.run([*nobody, "kill", "-STOP", str(pid)], stderr=subprocess.DEVNULL).returncode != 0
    assert collector in descendants(running.process.pid)
    assert running.finish().status == 0


@pytest.mark.parametrize("sudo", [(), ("env", "SUDO_UID=4242")], ids=["root", "sudo"])
@pytest.mark.parametrize("command", ["trace", "record", "top"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_command_without_a_screen_ends_though_its_collector_is_stopped(
    command: str, number: int, sudo: tuple[str, ...]
) -> None:
    what = ["-", "--program", "execsnoop"] if command == "record" else ["execsnoop"]
    words = [*sudo, *RINGTOP, command, *what, "--capture", ME]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        assert eventually(lambda: len(descendants(process.pid)) == 2)
        collector, helper = descendants(process.pid)
        assert eventually(lambda: bool(programs(collector)))
        ours = programs(collector)
        os.kill(collector, signal.SIGSTOP)
        assert any("nothing has come from the collector" in line for line in process.stderr)
        process.send_signal(number)
        err = process.communicate(timeout=120)[1]
        assert process.returncode == (1 if number == signal.SIGINT else -number)
        assert ("killed by SIGKILL" in err) == (number == signal.SIGINT)
        assert ended([collector, helper])
        assert gone(ours)
    finally:
        process.kill()
        process.wait()


def test_a_signal_ends_a_trace_whose_reader_takes_nothing() -> None:
    storm = Storm(20_000)
    words = [*RINGTOP, "trace", "unlinksnoop", "--capture", ME]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        assert ": tracing " in process.stderr.readline()
        below = descendants(process.pid)
        storm.run()
        writes = f"{'1' if os.uname().machine == 'x86_64' else '64'} 0x1 "  # asm/unistd.h: write, to standard output
        assert eventually(lambda: Path(f"/proc/{process.pid}/syscall").read_text().startswith(writes))
        process.terminate()
        assert process.wait(120) == 1
        assert "takes no more of the output" in process.stderr.read()
        assert ended(below)
    finally:
        process.kill()
        process.wait()


def test_a_collector_that_cannot_be_started_is_one_message() -> None:
    user = ("setpriv", "--reuid=4242", "--regid=4242", "--clear-groups", "prlimit", "--nproc=1")
    outcome = subprocess.run([*user, *RINGTOP, "trace", "execsnoop"], capture_output=True, text=True, timeout=120)
    assert outcome.returncode == 3
    assert "the collector cannot be started" in outcome.stderr
    assert "Traceback" not in outcome.stderr
