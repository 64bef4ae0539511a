"""Only the collector is privileged, and only as far as it needs: every door is tried."""

from __future__ import annotations

import json
import os
import pwd
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from ringtop import themes
from ringtop.bpf import collector as collector_package
from ringtop.bpf import stream
from ringtop.tui.cli.account import Account, can_read, chosen
from ringtop.tui.source.broker import Broker
from ringtop.tui.source.client import ENVIRONMENT, LOCAL, Client
from tests.kernel.loads import run_programs
from tests.kernel.tracing import PRIME, RINGTOP, Tracing, running
from tests.kernel.watcher import as_watcher
from tests.processes import called, eventually
from tests.terminal import Terminal

pytestmark = pytest.mark.beside
ME = f"ppid={os.getpid()}"
NOBODY = 65534
KEPT = 1 << 39 | 1 << 38 | 1 << 14  # CAP_BPF, CAP_PERFMON, CAP_IPC_LOCK
CAPABLE = "+bpf,+perfmon"


def status(pid: int) -> dict[str, str]:
    """/proc/PID/status."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def runs_as(process: Path) -> int | None:
    """The user of /proc/PID; None when it has ended."""
    try:
        return int(status(int(process.name))["Uid"].split()[0])
    except OSError:
        return None


def children(pid: int) -> list[int]:
    """Processes that *pid* started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def assert_harmless(pid: int, uid: int | None = None, capabilities: int = 0) -> None:
    """It is *uid*, or somebody that no other process is; it has no capability but those, and can get none."""
    eventually(lambda: status(pid)["NoNewPrivs"] == "1")  # the last program's state is told just before
    eventually(lambda: int(status(pid)["CapEff"], 16) == capabilities)
    if uid is None:
        uid = int(status(pid)["Uid"].split()[0])
        assert uid not in (0, NOBODY)
        assert [int(other.name) for other in Path("/proc").glob("[0-9]*") if runs_as(other) == uid] == [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        assert_harmless_task(status(int(task.name)), uid, capabilities)


def assert_harmless_task(now: dict[str, str], uid: int, capabilities: int) -> None:
    """Of each thread: another one's doings are not its own."""
    assert now["Uid"].split() == [str(uid)] * 4
    assert "0" not in now["Gid"].split()
    assert now["Groups"] == ""
    assert int(now["CapEff"], 16) == int(now["CapPrm"], 16) == capabilities
    assert int(now["CapInh"], 16) == int(now["CapAmb"], 16) == int(now["CapBnd"], 16) == 0
    assert now["NoNewPrivs"] == "1"


def test_trace_and_its_collector_give_up_root(tracing: Tracing) -> None:
    running = tracing("execsnoop", "--capture", ME)
    (collector,) = children(running.process.pid)
    assert_harmless(running.process.pid)
    assert_harmless(collector, capabilities=KEPT)
    assert len(run_programs(PRIME)) == len(running.finish().rows)


DUMP = """
import atexit, json, runpy, sys

told = open(sys.argv.pop(1), "w")  # while root can
atexit.register(lambda: print(json.dumps(list(sys.modules)), file=told, flush=True))
runpy.run_module("ringtop.bpf", run_name="__main__", alter_sys=True)
"""
"""The collector's module, started as by ``-m``; when it ends it tells what it has imported."""


def test_the_collector_has_nothing_of_the_viewer_in_it(tmp_path: Path) -> None:
    told = tmp_path / "modules"
    client = Client(["execsnoop", "--capture", ME], (sys.executable, "-I", "-c", DUMP, str(told), "collect"))
    received = 0
    for message in client.messages():
        match message:
            case stream.State():
                run_programs(PRIME)
                client.send(stream.Stop())
            case stream.Stats():
                received = sum(c.received for part in message.programs for c in part.cpus)
    assert client.close() == 0
    assert received == PRIME
    modules = json.loads(told.read_text())
    assert {"ringtop.bpf.collector.collector", "ringtop.bpf.kernel.loader", "numpy"} <= set(modules)
    ours = {".".join(name.split(".")[:2]) for name in modules if name.startswith("ringtop.")}
    assert ours == {"ringtop.bpf"}
    assert not {name.split(".")[0] for name in modules} & {"textual", "rich", "click", "platformdirs", "psutil"}


@pytest.mark.parametrize("by_hand", [False, True], ids=["trace", "collect"])
def test_every_command_collects_with_the_same_process(tracing: Tracing, by_hand: bool) -> None:
    """`ringtop collect`, which ssh calls, becomes it."""
    expected = [*LOCAL, "execsnoop"]
    if by_hand:
        pipe = subprocess.PIPE
        process = subprocess.Popen([*RINGTOP, "collect", "execsnoop"], stdin=pipe, stdout=pipe)
        assert process.stdout is not None
        assert process.stdout.read(len(stream.MAGIC)) == stream.MAGIC
        pid = process.pid
    else:
        running = tracing("execsnoop")
        (pid,) = children(running.process.pid)
    assert Path(f"/proc/{pid}/cmdline").read_text().split("\0")[: len(expected)] == expected
    if by_hand:
        process.communicate()
        assert process.returncode == 0


def test_trace_becomes_who_called_sudo() -> None:
    sudo = ("env", "SUDO_UID=4242", "SUDO_GID=4242", *RINGTOP)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o777)
        with running(("execsnoop", "--capture", ME), Path(folder) / "summary", sudo) as trace:
            assert_harmless(trace.process.pid, 4242)
            run_programs(PRIME)
            outcome = trace.finish()
    assert len(outcome.rows) == PRIME
    assert outcome.summary["execsnoop"]["residual"] == 0


def test_the_environment_redirects_nothing(tracing: Tracing, tmp_path: Path) -> None:
    evil = tmp_path / "evil"
    evil.mkdir()
    for module in ("bcc", "numpy", "sitecustomize"):
        (evil / f"{module}.py").write_text(f"open({str(evil / 'loaded')!r}, 'a')")
    for program in ("clang", "gcc", "sh", "mount"):
        (evil / program).write_text(f"#!/bin/sh\ntouch {evil}/ran\n")
        (evil / program).chmod(0o755)
    doors = {
        "PYTHONHOME": "",
        "PYTHONINSPECT": "1",
        "LD_LIBRARY_PATH": str(evil),
        "BCC_KERNEL_SOURCE": str(evil),
        "TMPDIR": str(evil),
        "PATH": f"{evil}:{os.environ['PATH']}",
    }
    running = tracing("execsnoop", "--capture", ME, prefix=("env", *(f"{k}={v}" for k, v in doors.items())))
    (collector,) = children(running.process.pid)
    environment = Path(f"/proc/{collector}/environ").read_bytes()
    assert environment == b"PATH=/usr/sbin:/usr/bin:/sbin:/bin\0"
    assert Path(f"/proc/{collector}/cwd").readlink() == Path("/")
    run_programs(PRIME)
    assert len(running.finish().rows) == PRIME
    assert not (evil / "ran").exists()
    # And as sudo would start it, without ringtop's own hand in between.
    code = subprocess.run(
        [*LOCAL, "execsnoop"],
        input=b"",
        capture_output=True,
        timeout=120,
        env=os.environ | doors | {"PYTHONPATH": str(evil), "PYTHONSTARTUP": str(evil / "bcc.py")},
    ).returncode
    assert code == 0
    assert not (evil / "loaded").exists()
    assert not (evil / "ran").exists()


def test_the_broker_starts_what_it_was_told_before_and_nothing_else() -> None:
    broker = Broker([*LOCAL, "execsnoop", "--capture", ME], ENVIRONMENT)
    for _ in range(2):
        client = Client([], broker=broker)
        seen = 0
        for message in client.messages():
            if type(message).__name__ == "State":
                pids = run_programs(PRIME)
                assert_harmless(client.process.pid, capabilities=KEPT)
                client._in.close()
            elif type(message).__name__ == "Stats":
                seen = sum(c.received for part in message.programs for c in part.cpus)
        assert client.close() == 0
        assert seen == len(pids)
    (pid,) = [child for child in children(os.getpid()) if status(child)["Name"] == "ringtop broker"]
    broker._socket.close()
    assert os.waitpid(pid, 0)[1] == 0, "the broker ends with its viewer"


@pytest.mark.parametrize("program", ["runqslower", "execsnoop", "unlinksnoop"])
@pytest.mark.parametrize("capabilities", [CAPABLE, f"{CAPABLE},+dac_read_search"])
def test_capabilities_do_instead_of_root(program: str, capabilities: str) -> None:
    """Raw tracepoints need no more than the two: execsnoop shows the execs that succeed. What is found in tracefs needs
    to be read there."""
    user = ("setpriv", "--reuid=4242", "--regid=4242", "--clear-groups")
    user += ("--inh-caps", capabilities, "--ambient-caps", capabilities)
    # None of the events of others, which may be more than a buffer holds.
    command = [*user, *RINGTOP, "trace", program, "--capture", "comm=none-is-called", "--duration", "0.2", "--check"]
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=120)
    all_of_it = program == "runqslower" or "dac_read_search" in capabilities
    assert all_of_it or "CAP_DAC_READ_SEARCH" in outcome.stderr
    assert ("without execs that fail: /sys/kernel/tracing may not be read" in outcome.stderr) == (
        program == "execsnoop" and not all_of_it
    )
    assert outcome.returncode == (3 if program == "unlinksnoop" and not all_of_it else 0), outcome.stderr
    assert (f"tracing {program}" in outcome.stderr) == (outcome.returncode == 0)


def test_doctor_says_so_too() -> None:
    """Some programs can run, and that is a status of its own; why the others cannot is told with them."""
    user = ("setpriv", "--reuid=4242", "--regid=4242", "--clear-groups")
    user += ("--inh-caps", CAPABLE, "--ambient-caps", CAPABLE)
    outcome = subprocess.run([*user, *RINGTOP, "doctor", "--json"], capture_output=True, text=True, timeout=120)
    assert outcome.returncode == 5, outcome.stdout
    hooks = {choice["program"]: choice["hook"] for choice in json.loads(outcome.stdout)["programs"]}
    assert [program for program, hook in hooks.items() if hook] == ["runqslower", "execsnoop", "exitsnoop"]


def test_without_them_the_cure_is_told() -> None:
    user = ("setpriv", "--reuid=4242", "--regid=4242", "--clear-groups")
    outcome = subprocess.run([*user, *RINGTOP, "trace", "execsnoop"], capture_output=True, text=True, timeout=120)
    assert outcome.returncode == 3
    assert re.search("CAP_BPF and CAP_PERFMON.*\n.*sudo ringtop", outcome.stderr)


def test_files_that_nobody_may_read_keep_the_viewer_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account("somebody", 4242, 4242, "/")
    assert can_read(account)
    with monkeypatch.context() as of_root:
        (tmp_path / "os.py").touch(0o600)
        of_root.setattr(os, "__file__", str(tmp_path / "os.py"))
        assert not can_read(account)
    (tmp_path / "ringtop.tcss").touch(0o600)
    monkeypatch.setattr(themes, "__file__", str(tmp_path / "__init__.py"))
    assert not can_read(account)
    monkeypatch.setenv("SUDO_UID", "0")
    found = chosen()
    assert found is not None
    assert not found.person
    assert found.uid == found.gid > NOBODY // 2
    with pytest.raises(KeyError):
        pwd.getpwuid(found.uid)


WATCH = """
import sys
from ringtop.bpf import stream
from ringtop.tui.source import elevate

client = elevate.start(sys.argv[1:])
for message in client.messages():
    if isinstance(message, stream.State):
        print("ready", flush=True)
        sys.stdin.readline()
        client.send(stream.Stop())
    elif isinstance(message, stream.Stats):
        received = sum(c.received for part in message.programs for c in part.cpus)
print(received, client.close())
"""


def rule() -> str:
    """The command that THREATS.md allows, for this Python."""
    text = (Path(collector_package.__file__).parents[1] / "THREATS.md").read_text()
    (found,) = re.findall(r"^alice ALL=\(root\) NOPASSWD: /opt/ringtop/bin/python (.*)$", text, re.MULTILINE)
    return f"{sys.executable} {found}"


def test_a_user_gets_the_collector_through_sudo_and_may_nothing_else(tmp_path: Path) -> None:
    refused = subprocess.run([*as_watcher(tmp_path, allowed=rule()), "sudo", "-n", "true"], capture_output=True)
    assert refused.returncode != 0
    command = [*as_watcher(tmp_path, allowed=rule()), sys.executable, "-c", WATCH, "execsnoop", "--capture", ME]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", process.communicate()[1]
    run_programs(PRIME)
    out, err = process.communicate("\n", timeout=120)
    assert out.split() == [str(PRIME), "0"], err


POLKIT = """
mount -t tmpfs run /run
mkdir /run/dbus
for name in passwd shadow group; do mount --bind $FOLDER/$name /etc/$name; done
mount --bind /dev/null /usr/bin/sudo
dbus-daemon --system --nofork --nopidfile >/dev/null 2>&1 &
until [ -S /run/dbus/system_bus_socket ]; do sleep 0.05; done
setpriv --reuid=4242 --regid=4242 --init-groups "$@"
kill $!
"""
"""A bus, which starts polkit when it is asked for; a user who is to give a password; no sudo."""


def test_a_user_gets_the_collector_through_pkexec(tmp_path: Path) -> None:
    """Polkit, a bus and a user that only the processes of this test see; the password is asked for at the terminal."""
    etc = {name: Path("/etc", name).read_text() for name in ("passwd", "shadow", "group")}
    hashed = subprocess.run(["openssl", "passwd", "-6", "secret"], capture_output=True, text=True, check=True).stdout
    etc["passwd"] += "watcher:x:4242:4242::/tmp:/bin/sh\n"
    etc["shadow"] += f"watcher:{hashed.strip()}:19000:0:99999:7:::\n"
    etc["group"] = re.sub(r"(?m)^sudo:.*$", "sudo:x:27:watcher", etc["group"]) + "watcher:x:4242:\n"
    for name, text in etc.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600 if name == "shadow" else 0o644)
    inside = ["unshare", "--mount", "sh", "-c", POLKIT, "sh"]
    terminal = Terminal([*inside, sys.executable, "-c", WATCH, "execsnoop", "--capture", ME], FOLDER=str(tmp_path))
    try:
        assert terminal.saw("Password:"), terminal.text
        terminal.type("secret\n")
        assert terminal.saw("ready"), terminal.text
        run_programs(PRIME)
        terminal.type("\n")
        assert terminal.saw(f"{PRIME} 0"), terminal.text
    finally:
        for pid in called(b"dbus-daemon", terminal.process.pid):
            os.kill(pid, signal.SIGKILL)  # and polkit ends with it
        terminal.close()


@pytest.mark.parametrize("hidepid", [0, 1, 2])
def test_a_process_that_may_not_be_seen_is_not_said_to_be_gone(hidepid: int) -> None:
    """procfs hides the processes of others from a user who is not root."""
    look = "import os, sys; from ringtop.tui.process.card import read; os.setgroups([]); os.setgid(65534); "
    look += "os.setuid(65534); print(read(int(sys.argv[1])).presence)"
    mount = f'mount -t proc -o hidepid={hidepid} proc /proc && exec "$@"'
    with subprocess.Popen(["sleep", "60"]) as other:
        command = ["unshare", "--mount", "sh", "-c", mount, "sh", sys.executable, "-c", look, str(other.pid)]
        ended = subprocess.run(command, capture_output=True, text=True, check=True)
        other.kill()
    assert ended.stdout == ("hidden\n" if hidepid else "here\n")
