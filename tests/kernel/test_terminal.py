"""Whatever becomes of the terminal or is signalled: the programs are detached, the recording can be read, the terminal
is as it was, and no process is left."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ringtop.bpf import stream
from ringtop.tui.source.recording import read
from tests.kernel.loads import run_programs
from tests.kernel.tracing import PRIME, RINGTOP
from tests.processes import attached, called, descendants, ended, eventually, gone, programs, state
from tests.terminal import Terminal

pytestmark = pytest.mark.beside
ME = f"ppid={os.getpid()}"
RESTORED = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?1003l", b"\x1b[?2004l", b"\x1b[?7h", b"\x1b[?1004l")
"""Out of the other screen; cursor on; mouse, bracketed paste, wrapping and focus as before."""
STUCK = """
import time
from ringtop.tui.app import app
from ringtop.tui.terminal import watchdog
watchdog.PATIENCE_S = 0.5
app.Viewer.action_themes = lambda self: time.sleep(3600)
from ringtop.tui.cli.main import main
main()
"""
"""A viewer whose event loop stands still once T is pressed."""


class Shown:
    """A viewer whose three programs are attached."""

    def __init__(self, terminal: Terminal) -> None:
        assert terminal.shows("running"), terminal.screen
        self.viewer = called(b"ringtop.tui", terminal.process.pid)[0]
        (self.collector,) = called(b" collect ", self.viewer)[-1:]  # the command line of the broker has it, too
        assert attached(self.collector)
        self.programs = programs(self.collector)
        assert len(self.programs) >= 3
        self.processes = [self.viewer, *descendants(self.viewer)]

    def left_nothing(self) -> bool:
        """Whether nothing of it stays."""
        return ended(self.processes) and gone(self.programs)


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., Terminal]]:
    """Start a command, by default the viewer, on a terminal."""
    started: list[Terminal] = []

    def terminal(*command: str, rows: int = 24, **environment: str) -> Terminal:
        homes = {name: str(folder) for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME")}
        viewer = (*RINGTOP, "--recordings", str(folder), "--capture", ME, "--min-us", "0")
        started.append(Terminal(command or viewer, rows, **homes, **environment))
        return started[-1]

    yield terminal
    for each in started:
        each.close()


def recorded(file: Path, whole: bool = False) -> set[int]:
    """Processes in a recording; *whole*: it must not have been cut."""
    recording = read(file)
    rounds = [message for message in recording if isinstance(message, stream.Round)]
    assert not (whole and recording.damage), recording.damage
    return {pid for r in rounds for rows in r.batches for pid in stream.batch(rows).rows["pid"].tolist()}


def assert_restored(terminal: Terminal, since: int = 0) -> None:
    """It is as it was."""
    assert terminal.attributes == terminal.before
    for sequence in RESTORED:
        assert sequence in terminal.written[since:], sequence


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGABRT, 35])
def test_a_signal_ends_the_viewer_in_order(start: Callable[..., Terminal], number: int) -> None:
    terminal = start()
    shown = Shown(terminal)
    assert terminal.attributes != terminal.before
    os.kill(shown.viewer, number)
    assert terminal.wait() == 128 + number
    assert_restored(terminal)
    assert shown.left_nothing()


def test_a_terminal_that_goes_away_while_events_are_recorded(start: Callable[..., Terminal], folder: Path) -> None:
    terminal = start()
    shown = Shown(terminal)
    terminal.type("VVR")  # events alone
    assert terminal.shows("recording to")
    pids = run_programs(PRIME)
    assert terminal.shows(str(pids[-1]))
    terminal.hang_up()
    assert terminal.process.wait(120) == 128 + signal.SIGHUP
    assert shown.left_nothing()
    (file,) = folder.glob("*.ringtop")
    assert set(pids) <= recorded(file, whole=True)
    assert (file.stat().st_uid, file.stat().st_mode & 0o777) == (0, 0o600), "it belongs to root, who asked for it"
    assert (folder / "ringtop" / "state.json").exists(), "what the viewer remembers"


def test_a_recording_of_a_killed_viewer_can_be_read(start: Callable[..., Terminal], folder: Path) -> None:
    terminal = start()
    shown = Shown(terminal)
    terminal.type("R")
    assert terminal.shows("recording to")
    pids = run_programs(PRIME)
    (file,) = folder.glob("*.ringtop")

    assert eventually(lambda: file.stat().st_size > 0 and set(pids) <= recorded(file)), "it is written every second"
    os.kill(shown.viewer, signal.SIGKILL)
    assert terminal.wait() == -signal.SIGKILL
    assert shown.left_nothing()
    assert set(pids) <= recorded(file)
    assert terminal.attributes != terminal.before, "nobody is left to restore it: README says what to do"


def test_an_event_loop_that_stands_still_does_not_keep_it(start: Callable[..., Terminal]) -> None:
    for hang_up in (False, True):
        terminal = start(sys.executable, "-c", STUCK, "--capture", ME)
        shown = Shown(terminal)
        terminal.type("T")
        time.sleep(0.5)
        if hang_up:
            terminal.hang_up()
            assert terminal.process.wait(120) == 128 + signal.SIGHUP
        else:
            os.kill(shown.viewer, signal.SIGTERM)
            assert terminal.wait() == 128 + signal.SIGTERM
            assert terminal.attributes == terminal.before
            assert terminal.written.endswith(b"\x1b[?1049l\x1b[?25h")
        assert shown.left_nothing()


def test_to_the_shell_and_back(start: Callable[..., Terminal]) -> None:
    """Under a shell with job control; dash, as others set the terminal themselves when they wait for a command."""
    terminal = start("sh", "-i", PS1="ready> ", ENV="")
    assert terminal.saw("ready>")
    terminal.before = terminal.attributes

    def after(keys: str, shows: str) -> int:
        since = len(terminal.written)
        terminal.type(keys)
        assert terminal.saw(shows, since), (keys, terminal.text[-2000:])
        return since

    terminal.type(" ".join([*RINGTOP, "--capture", ME, "\r"]))
    shown = Shown(terminal)
    since = after("\x1a", "ready>")
    assert state(shown.viewer) == "T"
    assert_restored(terminal, since)
    since = after("fg\r", "unlinksnoop")
    assert b"\x1b[?1049h" in terminal.written[since:]
    assert terminal.attributes != terminal.before
    # Stopped by others, who restore nothing; and in the background the terminal is not its own.
    since = len(terminal.written)
    os.kill(shown.viewer, signal.SIGSTOP)
    assert terminal.saw("ready>", since)
    after("bg\n", "ready>")
    assert eventually(lambda: state(shown.viewer) == "T")
    after("fg\n", "unlinksnoop")
    since = after("q", "ready>")
    assert_restored(terminal, since)
    assert shown.left_nothing()


def test_a_terminal_that_goes_away_from_a_stopped_viewer(start: Callable[..., Terminal]) -> None:
    terminal = start("sh", "-i", PS1="ready> ", ENV="")
    assert terminal.saw("ready>")
    terminal.type(" ".join([*RINGTOP, "--capture", ME, "\r"]))
    shown = Shown(terminal)
    terminal.type("\x1a")
    assert eventually(lambda: state(shown.viewer) == "T")
    terminal.hang_up()
    assert shown.left_nothing()


def test_where_there_is_no_shell_it_is_not_stopped(start: Callable[..., Terminal]) -> None:
    terminal = start()
    shown = Shown(terminal)
    since = len(terminal.written)
    terminal.type("\x1a")
    assert terminal.saw("unlinksnoop", since)
    assert state(shown.viewer) != "T"
    terminal.type("q")
    assert terminal.wait() == 0
    assert_restored(terminal)


def test_a_storm_of_sizes(start: Callable[..., Terminal]) -> None:
    terminal = start()
    shown = Shown(terminal)
    noise = random.Random(23)
    for _ in range(400):
        terminal.resize(
            *noise.choice([(1, 1), (1, 200), (200, 1), (2, 5), (noise.randint(1, 60), noise.randint(1, 200))])
        )
        time.sleep(0.002)
    terminal.resize(1, 1)
    time.sleep(0.3)
    terminal.resize(40, 120)
    for words in ("runqslower", "execsnoop", "unlinksnoop", "Quit"):
        assert terminal.shows(words), terminal.screen
    terminal.type("q")
    assert terminal.wait() == 0
    assert_restored(terminal)
    assert shown.left_nothing()


def test_trace_ends_when_nobody_reads_it_any_more(start: Callable[..., Terminal]) -> None:
    for how in ("| head -n 1 /dev/tty", ""):
        terminal = start("sh", "-c", " ".join([*RINGTOP, "trace execsnoop --capture", f"'{ME}' {how}; sleep 3600"]))
        assert terminal.saw("tracing")
        (collector,) = called(b" collect ", terminal.process.pid)
        ours = programs(collector)
        if how:
            terminal.type("\r")  # for head, which ends with it
        else:
            terminal.hang_up()
        assert ended([collector]), "though no event came"
        assert gone(ours)


def test_nohup_is_obeyed(start: Callable[..., Terminal], folder: Path) -> None:
    file = folder / "long.ringtop"
    # In that folder, where nohup puts what it keeps from the terminal.
    terminal = start("env", "-C", str(folder), "nohup", *RINGTOP, "record", str(file), "--program", "execsnoop")
    assert eventually(lambda: bool(called(b" collect ", terminal.process.pid)))
    (collector,) = called(b" collect ", terminal.process.pid)
    assert attached(collector)
    ours = programs(collector)
    os.kill(terminal.process.pid, signal.SIGHUP)
    (pid,) = run_programs(1)
    assert state(terminal.process.pid) not in ("", "Z")
    os.kill(terminal.process.pid, signal.SIGTERM)
    assert terminal.wait() == 0
    assert pid in recorded(file, whole=True)
    assert gone(ours)
