"""Quitting is heard at once, also in the middle of a compilation: status 0, the terminal as it was, nothing left."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kernel.tracing import RINGTOP
from tests.processes import called, descendants, ended, eventually, gone, programs
from tests.terminal import Terminal

COMPILING = """
import sys
from pathlib import Path
from ringtop.bpf.kernel import bcc_loader

def write_tree(tree, release):
    write(tree, release)
    header = tree / "include/linux/kconfig.h"
    header.unlink()
    header.symlink_to({folder!r} + "/header")
    Path({folder!r}, "tree").write_text(str(tree))

write, bcc_loader.write_tree = bcc_loader.write_tree, write_tree

from ringtop.bpf.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
"""A collector whose compiler waits for a header, which is a pipe."""
VIEWER = """
import sys
from ringtop.tui.cli import start
from ringtop.tui.source import client

client.LOCAL = start.LOCAL = (sys.executable, "-c", {collector!r}, "collect")
client.Client.__init__.__defaults__ = (client.LOCAL, *client.Client.__init__.__defaults__[1:])

from ringtop.tui.cli.main import main
main()
"""
IMPATIENT = """
import os
from ringtop.tui.cli import begin

def give_up_root(given_up=begin.give_up_root):
    given_up()
    os.kill(os.getpid(), {number})

begin.give_up_root = give_up_root

from ringtop.tui.cli.main import main
main()
"""
"""A command that gets a signal between the start of its collector and the import of what listens."""
TIMES = 4


class Slow:
    """Starts ringtop with such a collector."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.command = (sys.executable, "-c", VIEWER.format(collector=COMPILING.format(folder=str(folder))))
        self._header: int | None = None
        os.mkfifo(folder / "header")

    def compiling(self) -> bool:
        """Whether the compiler gets to the header; from then on it waits for what stands in it."""

        def reads() -> bool:
            try:
                self._header = os.open(self.folder / "header", os.O_WRONLY | os.O_NONBLOCK)
            except OSError as e:
                assert e.errno == errno.ENXIO, e  # nobody reads it yet
                return False
            return True

        return eventually(reads)

    def left(self) -> bool:
        """Whether it wrote files that are still there."""
        return Path((self.folder / "tree").read_text()).exists()

    def close(self) -> None:
        """Let the compiler go on."""
        if self._header is not None:
            os.close(self._header)
        self._header = None


@pytest.fixture
def slow() -> Iterator[Slow]:
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o777)  # the viewer is nobody once its collector runs
        slow = Slow(Path(name))
        yield slow
        slow.close()


@pytest.fixture
def start(slow: Slow) -> Iterator[Callable[..., Terminal]]:
    """Start a command on a terminal."""
    started: list[Terminal] = []

    def terminal(*command: str) -> Terminal:
        homes = dict.fromkeys(("XDG_STATE_HOME", "XDG_CONFIG_HOME"), str(slow.folder))
        started.append(Terminal(command, 24, 100, **homes))
        return started[-1]

    yield terminal
    for each in started:
        each.close()


def assert_quits(terminal: Terminal) -> None:
    """At `q`, with nothing written on the restored terminal."""
    processes = [terminal.process.pid, *descendants(terminal.process.pid)]
    terminal.type("q")
    assert terminal.wait() == 0, terminal.text
    assert terminal.attributes == terminal.before
    assert not terminal.left
    assert ended(processes)


@pytest.mark.timeout(900)
def test_q_while_a_program_compiles(start: Callable[..., Terminal], slow: Slow) -> None:
    """The compiler would never end by itself."""
    for _ in range(TIMES):
        terminal = start(*slow.command, "--loader", "bcc")
        assert slow.compiling(), terminal.text
        assert terminal.shows("loading")
        assert_quits(terminal)
        assert not slow.left()
        slow.close()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("running", [False, True], ids=["compiling", "running"])
def test_q_while_the_collector_is_stopped(start: Callable[..., Terminal], slow: Slow, running: bool) -> None:
    """Nothing that it is told reaches it: it has to be killed."""
    command = (*RINGTOP, "--capture", f"ppid={os.getpid()}") if running else (*slow.command, "--loader", "bcc")
    terminal = start(*command)
    assert terminal.shows("collector running") if running else slow.compiling(), terminal.text
    (collector,) = called(b"collect", terminal.process.pid)[-1:]
    ours = programs(collector)
    os.kill(collector, signal.SIGSTOP)
    assert_quits(terminal)
    assert gone(ours)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("command", ["trace", "record"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_a_program_compiles(slow: Slow, command: str, number: signal.Signals) -> None:
    """The stream ends as any other: what was asked for last is heard first."""
    what = ("execsnoop",) if command == "trace" else (str(slow.folder / "a.ringtop"), "--program", "execsnoop")
    arguments = [*slow.command, command, *what, "--loader", "bcc"]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert slow.compiling()
        collectors = descendants(process.pid)
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert "Traceback" not in err
        assert out == ""
        assert ended(collectors)
        assert not slow.left()
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", [("trace", "execsnoop"), ("top", "execsnoop"), ("record", "-")], ids=" ".join)
def test_a_signal_before_a_command_listens_waits_for_it(command: tuple[str, ...], number: signal.Signals) -> None:
    words = [sys.executable, "-c", IMPATIENT.format(number=int(number)), *command, "--capture", f"ppid={os.getpid()}"]
    outcome = subprocess.run(words, capture_output=True, timeout=120)
    assert outcome.returncode == 0, outcome.stderr
    assert b"Traceback" not in outcome.stderr
