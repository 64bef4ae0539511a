"""A command is followed from its first instruction, with all that it starts, and nothing else is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringtop.bpf.common.loaders import LOADERS
from ringtop.bpf.common.transports import TRANSPORTS
from tests.kernel.tracing import PRIME, RINGTOP
from tests.processes import called, descendants, ended, eventually, gone, programs
from tests.terminal import Terminal

STORM = """
import os, signal, subprocess, sys
def starts(path, count):
    for _ in range(count):
        os.waitpid(os.posix_spawn(path, [path], {}), 0)
for _ in range(4):
    if os.fork() == 0:
        starts("/bin/true", 250)
        os._exit(0)
for _ in range(4):
    os.wait()
os._exit(7)
"""
BESIDE = "import os\nwhile True: os.waitpid(os.posix_spawn('/bin/false', ['/bin/false'], {}), 0)"


@pytest.fixture
def beside() -> Iterator[None]:
    """A storm that is not followed."""
    process = subprocess.Popen([sys.executable, "-c", BESIDE])
    yield
    process.kill()
    process.wait()


def trace(*words: str, **more: object) -> subprocess.CompletedProcess[str]:
    """`ringtop trace` of these words, to its end."""
    return subprocess.run([*RINGTOP, "trace", *words], capture_output=True, text=True, **more)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.usefixtures("beside")
def test_every_exec_of_a_launched_storm_is_seen_and_none_of_another(loader: str, transport: str) -> None:
    how = "--loader", loader, "--transport", transport, "--buffer", "4M"
    done = trace("execsnoop", *how, "--format", "json", "--check", "--", sys.executable, "-c", STORM)
    assert done.returncode == 7, done.stderr
    assert "and what it starts" in done.stderr
    paths = Counter(json.loads(line)["filename"] for line in done.stdout.splitlines())
    assert paths == {sys.executable: 1, "/bin/true": 1000}


def test_it_keeps_its_terminal_its_folder_and_its_variables(tmp_path: Path) -> None:
    code = (
        "import os\n"
        "print(os.ttyname(0) == os.ttyname(1), os.tcgetpgrp(0) == os.getpgrp(), os.getcwd(), os.environ['WORD'])"
    )
    terminal = Terminal([*RINGTOP, "record", str(tmp_path / "r"), "--", sys.executable, "-c", code], WORD="kept")
    try:
        assert terminal.wait() == 0
        assert f"True True {Path.cwd()} kept" in terminal.text
    finally:
        terminal.close()


def test_it_runs_as_the_user_who_called_sudo() -> None:
    variables = os.environ | {"SUDO_UID": "1", "SUDO_GID": "1", "SUDO_USER": "daemon"}
    code = (
        "import os\nprint(os.getresuid(), os.getresgid(), os.environ['USER'], [e for e in os.environ if 'SUDO' in e])"
    )
    done = trace("unlinksnoop", "-q", "--format", "csv", "--", "/usr/bin/python3", "-c", code, env=variables)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "(1, 1, 1) (1, 1, 1) daemon []"


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["sh", "-c", f"exit {PRIME}"], PRIME),
        (["sh", "-c", "kill -9 $$"], 128 + signal.SIGKILL),
        (["no-such-command"], 127),
        (["/etc/passwd"], 126),
    ],
)
def test_the_exit_status_is_the_commands(words: list[str], status: int) -> None:
    assert trace("execsnoop", "-q", "--", *words).returncode == status


@pytest.mark.parametrize(("text", "why"), [("true\n", "#!/bin/sh"), ("#!/no/such\n", "interpreter")])
def test_a_script_that_cannot_be_started_is_told_why(tmp_path: Path, text: str, why: str) -> None:
    script = tmp_path / "script"
    script.write_text(text)
    script.chmod(0o755)
    done = trace("execsnoop", "-q", "--", str(script))
    assert (done.returncode, why in done.stderr) == (126, True), done.stderr


def test_a_signal_before_the_launch_is_all_that_is_told() -> None:
    words = [*RINGTOP, "trace", "execsnoop", "-q", "--", "sleep", "61"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        assert eventually(lambda: bool(waiting(process.pid)))
        os.kill(waiting(process.pid)[0], signal.SIGTERM)
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 128 + signal.SIGTERM


def waiting(ringtop: int) -> list[int]:
    """The process that is to become `sleep`."""
    return [pid for pid in descendants(ringtop) if Path(f"/proc/{pid}/comm").read_text() == "sleep\n"]


def test_own_failures_come_first(tmp_path: Path) -> None:
    assert trace("execsnoop", "-q", "--count", "5", "--", "true").returncode == 6
    assert (
        trace("execsnoop", "-q", "--loader", "core", "--capture", "argv~x", "--", "touch", f"{tmp_path}/x").returncode
        == 2
    )
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_a_signal_reaches_it(number: int) -> None:
    code = (
        "import signal, sys, time\n"
        "for n in (10, 15, 2): signal.signal(n, lambda n, _: sys.exit(n))\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)"
    )
    words = [
        *RINGTOP,
        "trace",
        "execsnoop",
        "-q",
        "--filter",
        "pid=0",
        "--format",
        "json",
        "--",
        sys.executable,
        "-c",
        code,
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait() == number


def test_ctrl_c_reaches_it_once() -> None:
    code = (
        "import signal, time\n"
        "seen = []\n"
        "signal.signal(2, lambda *_: seen.append(1))\n"
        "print('re' + 'ady', flush=True)\n"
        "while not seen: time.sleep(0.01)\n"
        "time.sleep(0.5); print('seen', len(seen))"
    )
    terminal = Terminal([*RINGTOP, "trace", "execsnoop", "-q", "--", sys.executable, "-c", code])
    try:
        assert terminal.saw("ready")
        terminal.type("\x03")
        assert terminal.wait() == 0
        assert "seen 1" in terminal.text
    finally:
        terminal.close()


def test_nothing_stays_when_ringtop_is_killed() -> None:
    words = [*RINGTOP, "trace", "execsnoop", "-q", "--", "sh", "-c", "echo ready; exec sleep 61"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while "ready" not in process.stdout.readline():
            continue
        sleeping, (collector,) = called(b"sleep 61", process.pid)[1:], called(b" collect ", process.pid)[-1:]
        assert sleeping
        in_kernel = programs(collector)
        assert len(in_kernel) >= 4, "three hooks of execsnoop, and the one that follows forks"
        process.kill()
    assert ended([*sleeping, collector])
    assert gone(in_kernel)


def test_a_keeper_that_is_killed_is_no_success() -> None:
    words = [*RINGTOP, "trace", "execsnoop", "-q", "--", "sh", "-c", "echo ready; exec sleep 61"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        while "ready" not in process.stdout.readline():
            continue
        sleeping = called(b"sleep 61", process.pid)[-1]
        keeper = int(Path(f"/proc/{sleeping}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(keeper, signal.SIGKILL)
        assert process.wait(120) == 1
        os.kill(sleeping, signal.SIGKILL)  # it still runs, and keeps standard error open
        assert "the exit status of sh is not known, and it may still run" in process.stderr.read()


def test_the_log_of_a_command_that_prints_nothing_is_removed() -> None:
    before = set(Path("/tmp").glob("ringtop-*.log"))
    terminal = Terminal([*RINGTOP, "--program", "execsnoop", "--", "true"], 40, 160)
    try:
        assert terminal.shows("ended with status 0; it printed nothing"), terminal.screen
        terminal.type("q")
        assert terminal.wait() == 0
        assert set(Path("/tmp").glob("ringtop-*.log")) <= before
    finally:
        terminal.close()


def test_the_viewer_shows_it_and_says_where_it_prints() -> None:
    code = f"import os, time; print('printed'); os.system('/bin/true'); time.sleep(0.5); os._exit({PRIME})"
    terminal = Terminal([*RINGTOP, "--", sys.executable, "-c", code], 40, 160)
    try:
        assert terminal.shows("and what it starts"), terminal.screen
        assert terminal.shows(f"ended with status {PRIME}"), terminal.screen
        terminal.type("q")
        assert terminal.wait() == PRIME
        file = Path(terminal.left.rpartition("is in ")[2].strip())
        assert file.read_text() == "printed\n"
        file.unlink()
    finally:
        terminal.close()
