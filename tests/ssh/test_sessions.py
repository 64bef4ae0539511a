"""ringtop at the other end of a real SSH connection."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from ringtop.tui.source.recording import read
from tests.kernel.loads import run_programs
from tests.kernel.tracing import PRIME, RINGTOP
from tests.processes import attached, called, descendants, ended, eventually, gone, programs
from tests.ssh.conftest import Start
from tests.ssh.server import Server
from tests.terminal import ESCAPE, Terminal

pytestmark = pytest.mark.beside
ME = f"ppid={os.getpid()}"
COMMAND = " ".join(RINGTOP)
VIEWER = f"{COMMAND} --capture {ME}"
SGR = re.compile(rb"\x1b\[([0-9;:]*)m")


class Remote:
    """What runs at the server's end."""

    def __init__(self, top: int) -> None:
        assert eventually(lambda: bool(called(b" collect ", top)))
        (self.collector,) = called(b" collect ", top)[-1:]
        assert attached(self.collector)
        self.processes = [pid for pid in descendants(top) if pid in called(b"ringtop.", top)]
        self.programs = programs(self.collector)

    def left_nothing(self) -> bool:
        """Whether nothing of it stays."""
        return len(self.programs) > 0 and ended(self.processes) and gone(self.programs)


def quit_in_order(terminal: Terminal, remote: Remote) -> bytes:
    """Leave by q; all that was written."""
    terminal.type("q")
    assert terminal.wait() == 0
    assert terminal.attributes == terminal.before
    assert remote.left_nothing()
    return terminal.written


def test_a_viewer_whose_connection_is_lost(server: Server, start: Start) -> None:
    terminal = start(*server.tty, VIEWER)
    assert terminal.shows("execsnoop")
    remote = Remote(server.process.pid)
    os.kill(terminal.process.pid, signal.SIGKILL)
    assert remote.left_nothing()


def test_a_trace_whose_connection_is_lost_though_no_event_comes(server: Server) -> None:
    client = subprocess.Popen([*server.ssh, f"{COMMAND} trace execsnoop --capture {ME}"], stdin=subprocess.DEVNULL)
    remote = Remote(server.process.pid)
    client.kill()
    client.wait()
    assert remote.left_nothing()


def test_a_recording_whose_connection_is_lost_is_finished(server: Server, folder: Path) -> None:
    file = folder / "lost.ringtop"
    client = subprocess.Popen([*server.ssh, f"{COMMAND} record {file} --program execsnoop"], stdin=subprocess.DEVNULL)
    remote = Remote(server.process.pid)
    client.kill()
    client.wait()
    assert remote.left_nothing()
    recording = read(file)
    assert sum(1 for _ in recording) > 0
    assert recording.damage is None


def test_every_event_comes_through_a_connection_and_a_pipe(server: Server) -> None:
    command = f"{COMMAND} trace execsnoop --format json --capture 'ppid={os.getpid()} and comm=true' --count {PRIME}"
    pipe = subprocess.Popen(
        ["sh", "-c", '"$@" | jq --compact-output "[.pid, .filename, .argv]"', "sh", *server.ssh, command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    remote = Remote(server.process.pid)
    pids = run_programs(PRIME)
    out, _ = pipe.communicate(timeout=120)
    rows = [json.loads(line) for line in out.splitlines()]
    assert [pid for pid, _, _ in rows] == pids
    assert {name for _, name, _ in rows} == {"/bin/true"}
    assert pipe.returncode == 0
    assert remote.left_nothing()


def test_tmux_keeps_the_viewer_when_the_connection_is_lost(server: Server, start: Start, folder: Path) -> None:
    socket = folder / "tmux"
    tmux = f"tmux -S {socket} -f /dev/null"
    try:
        terminal = start(*server.tty, f"{tmux} new-session -s work '{VIEWER}'")
        assert terminal.shows("execsnoop")
        (manager,) = map(int, subprocess.check_output([*tmux.split(), "display", "-p", "#{pid}"]).split())
        remote = Remote(manager)
        terminal.process.kill()
        again = start(*server.tty, f"{tmux} attach")
        assert again.shows("execsnoop")
        again.type("VV")  # events alone
        (pid,) = run_programs(1)
        assert again.shows(str(pid)), "it went on"
        again.type("\x02d")
        assert again.wait() == 0
        assert again.attributes == again.before
        last = start(*server.tty, f"{tmux} attach")
        assert last.shows("execsnoop")
        quit_in_order(last, remote)
    finally:
        subprocess.run([*tmux.split(), "kill-server"], capture_output=True, check=False)


def test_a_dumb_terminal_gets_lines(server: Server, start: Start) -> None:
    terminal = start(*server.tty, VIEWER, TERM="dumb")
    assert terminal.saw("tracing unlinksnoop")
    remote = Remote(server.process.pid)
    pids = run_programs(PRIME)
    assert terminal.saw(str(pids[-1]))
    assert all(str(pid) in terminal.text for pid in pids)
    assert b"\x1b" not in terminal.written
    terminal.type("\x03")
    assert terminal.wait() == 0
    assert remote.left_nothing()


def colours(out: bytes) -> set[str]:
    """Parameters of all that sets colours and styles."""
    return {code for match in SGR.finditer(out) for code in re.split("[;:]", match[1].decode())}


def shown(server: Server, start: Start, **environment: str) -> bytes:
    """All that a viewer writes that shows events, the buffers, the keys and a process, and is left."""
    terminal = start(*server.tty, VIEWER, **environment)
    assert terminal.shows("execsnoop")
    terminal.type("VV")  # events alone
    remote = Remote(server.process.pid)
    subprocess.run(["/bin/true", "naïve café"], check=True)
    (pid,) = run_programs(1)
    assert terminal.shows(str(pid))
    head = f"{pid}  true"
    # What is pressed, what then comes, and what goes: two keys at once could be taken for one.
    for key, comes, goes in (
        ("2", "2 of 2", "runqslower"),
        ("\r", head, "2 of 2"),
        ("\x1b", "2 of 2", head),
        ("?", "Keys", head),
        ("\x1b", "2 of 2", "Keys"),
    ):
        terminal.type(key)
        assert terminal.shows(comes, instead_of=goes), (key, terminal.screen)
    return quit_in_order(terminal, remote)


@pytest.mark.parametrize(
    "environment",
    [
        {"TERM": "linux", "LANG": "C"},
        {"TERM": "xterm-16color", "LANG": "POSIX"},
        {"NO_COLOR": "1", "COLORTERM": "truecolor", "LC_ALL": "C", "LANG": "en_US.UTF-8"},
    ],
    ids=" ".join,
)
def test_few_colours_and_no_utf_8(server: Server, start: Start, environment: dict[str, str]) -> None:
    out = shown(server, start, **environment)
    plain = ESCAPE.sub(b"", out)
    assert not re.findall(rb"[^\x00-\x7f].{0,20}", plain)
    assert rb"caf\u00e9" in plain
    found = colours(out)
    assert "1" in found, "bold"
    assert not found & {"38", "48"}, "neither 256 colours nor all"
    basic = {str(code) for code in (*range(30, 38), *range(40, 48), *range(90, 98), *range(100, 108))}
    assert bool(found & basic) == ("NO_COLOR" not in environment)
