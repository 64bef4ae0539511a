"""A host behind ssh: how it is called, what its failures mean, and that it comes back by itself. Each "ssh" here is a
few lines of Python; tests/ssh has a real one."""

from __future__ import annotations

import os
import shlex
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from ringtop.bpf import stream
from ringtop.bpf.options.collector import CollectorOptions
from ringtop.tui.source import elevate, remote, ssh
from ringtop.tui.source.client import LOCAL
from ringtop.tui.source.remote import RemoteSource
from ringtop.tui.source.source import Item, Lost
from tests.processes import eventually
from tests.tui.source.recordings import hello, round_at, stats_at

OPTIONS = CollectorOptions(programs=("execsnoop",), capture="comm='a b' and ret=0", exclude=(23,))


def test_the_host_is_no_option_and_what_it_runs_is_quoted_for_its_shell() -> None:
    *words, command = ssh.command("root@web-1", ["--capture", "comm='$(x)'"])
    assert words[0] == "ssh"
    assert words[-2:] == ["--", "root@web-1"]
    assert "BatchMode=yes" in words
    assert shlex.split(command) == ["ringtop", "collect", "--capture", "comm='$(x)'"]


def test_processes_of_this_machine_are_none_of_the_hosts() -> None:
    words = shlex.split(RemoteSource("web1", OPTIONS)._command[-1])
    assert words == ["ringtop", "collect", *replace(OPTIONS, exclude=()).arguments()]


@pytest.mark.parametrize("host", ["web1", "root@10.0.0.1", "fe80::1%eth0", "ssh://a@[::1]:2222", "user.name@h-1"])
def test_names_of_hosts(host: str) -> None:
    ssh.check(host)


@given(st.text() | st.text(st.sampled_from("-ab@;|$`'\" \n%:[]/\\{}~")))
def test_no_text_that_a_shell_or_ssh_takes_for_something_else_is_a_name(host: str) -> None:
    try:
        ssh.check(host)
    except ValueError as e:
        assert "is not the name of a host" in str(e)
    else:
        assert not host.startswith("-")
        assert "@-" not in host
        assert not set(host) & set(" \n\t;|&$`'\"\\<>(){}*?~#!")


@pytest.mark.parametrize(
    ("status", "errors", "what", "cure", "lasting"),
    [
        (255, "root@web1: Permission denied (publickey).", "none of your keys", "ssh-copy-id root@web1", True),
        (255, "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @", "has changed", "ssh-keygen -R web1", True),
        (255, "Host key verification failed.", "is not known here", "Run `ssh root@web1` once", True),
        (255, "ssh: Could not resolve hostname web1: Name or service not known", "no", "Check the name", False),
        (255, "ssh: connect to host web1 port 22: Connection refused\r\n", "no connection", "refused\n\nSee", False),
        (255, "", "broke off", "", False),
        (127, "bash: line 1: ringtop: command not found", "not installed", "Install ringtop", True),
        (2, "Error: No such option: --x", "does not know these options", "ssh root@web1 ringtop --version", True),
        (3, "ringtop: cannot trace: it is too old\nGet another.", "cannot trace", "too old\nGet another.", True),
        (1, "sudo: a password is required", "sudo would ask", "allow sudo", True),
        (137, "Killed", "exit status 137", "Killed", False),
    ],
)
def test_what_failed_is_told_with_its_cure(status: int, errors: str, what: str, cure: str, lasting: bool) -> None:
    failure = ssh.failure("root@web1", status, errors)
    assert what in failure.what
    assert cure in failure.cure
    assert failure.lasting == lasting


@pytest.mark.parametrize("may", [True, False])
def test_who_may_not_load_programs_there_gets_the_collector_through_sudo(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], may: bool
) -> None:
    monkeypatch.setattr(elevate, "may_load", lambda: may)
    monkeypatch.setattr(elevate, "in_the_hosts_user_namespace", lambda: True)
    monkeypatch.setattr(elevate, "_way", lambda: "/usr/bin/sudo")
    assert elevate.unattended() == (LOCAL if may else ("/usr/bin/sudo", "-n", *LOCAL))
    said = capsys.readouterr().err
    assert (f"#{os.getuid()} ALL=(root) NOPASSWD: {' '.join(LOCAL)} *" in said) != may


class Posted(list[Item]):
    """What was posted, and a way to wait for it."""

    def __init__(self) -> None:
        self._more = threading.Condition()

    def __call__(self, item: Item) -> None:
        with self._more:
            self.append(item)
            self._more.notify()

    def lost(self, count: int) -> list[Lost]:
        """The first *count* losses."""
        with self._more:
            assert self._more.wait_for(lambda: sum(isinstance(i, Lost) for i in self) >= count, 60), self
            return [i for i in self if isinstance(i, Lost)]


Ssh = Callable[..., RemoteSource]


@pytest.fixture
def connect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ssh:
    """Make a source whose ssh runs some Python, after the messages given have been written."""

    def source(*messages: stream.AnyMessage | bytes, then: str = "") -> RemoteSource:
        said = [m if isinstance(m, bytes) else stream.encode(m) for m in messages]
        file = tmp_path / "ssh"
        file.write_text(
            f"#!{sys.executable}\nimport os, signal, sys, time\n"
            f"open({str(tmp_path / 'pids')!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
            f"os.write(1, {b''.join(said)!r})\n{then}\n"
        )
        file.chmod(0o700)
        return RemoteSource("web1", OPTIONS)

    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(remote, "PAUSES", (0.01, 0.02))
    return source


DIES = "os.kill(os.getpid(), signal.SIGKILL)"
WAITS = "sys.stdin.read()"


def test_it_comes_back_and_wants_what_was_asked_for_last(connect: Ssh) -> None:
    echo = "data = os.read(0, 1 << 16); print(data.hex(), file=sys.stderr); sys.exit(255)"
    source = connect(stream.MAGIC, hello(), then=echo)
    posted = Posted()
    source.send(stream.SetCapture("pid=1", ["execsnoop"]))
    source.send(stream.SetCapture("pid=2"))
    source.send(stream.Retune("other"))  # a change, which is not to be made again
    source.start(posted)
    losses = posted.lost(3)
    source.stop()
    assert {lost.detail for lost in losses} == {stream.encode(stream.SetCapture("pid=2")).hex()}
    assert [lost.again_s for lost in losses[:3]] == [0.01, 0.02, 0.02]
    assert sum(isinstance(item, stream.Hello) for item in posted) >= 3


@pytest.mark.parametrize(
    ("said", "what", "cure"),
    [
        ((b"Welcome to web1!\n",), "not a stream of ringtop", "Have `ssh web1 true` print nothing"),
        ((stream.MAGIC, hello(), b"\xff\xff\xff\xff"), "runs ringtop 1, whose events", "same version"),
        ((stream.MAGIC, structs.replace(hello(), dtypes={})), "whose events this ringtop", "same version"),
        (
            (stream.MAGIC, hello(), stream.Round(1, 1, [stream.Rows("execsnoop", b"half a row", b"")])),
            "whose events",
            "same version",
        ),
    ],
    ids=["greeting", "endless frame", "other layouts", "half a row"],
)
def test_what_is_no_stream_is_not_tried_again(connect: Ssh, said: tuple[bytes], what: str, cure: str) -> None:
    posted = Posted()
    source = connect(*said, then=WAITS)
    source.start(posted)
    (lost,) = posted.lost(1)
    assert what in lost.reason
    assert cure in lost.detail
    assert lost.again_s == 0
    assert source._thread is not None
    source._thread.join(60)
    assert not source._thread.is_alive()


@pytest.mark.parametrize("said", [b"", stream.MAGIC + stream.encode(hello())], ids=["at all", "more"])
def test_a_host_that_says_nothing_is_given_up(connect: Ssh, monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    monkeypatch.setattr(remote, "ANSWERS_S", 0.5)
    monkeypatch.setattr(remote, "SILENT_S", 0.1)
    posted = Posted()
    source = connect(said, then="time.sleep(3600)")
    source.start(posted)
    lost = posted.lost(1)[0]
    source.stop()
    assert lost.reason == "it does not answer"
    assert lost.again_s


def test_layouts_of_an_older_version_are_ours_afterwards(connect: Ssh) -> None:
    layouts = {p: [["_unused" if n == "host" else n, k] for n, k in parts] for p, parts in stream.dtypes().items()}
    old = structs.replace(hello(), dtypes=layouts)
    posted = Posted()
    source = connect(stream.MAGIC, old, round_at(1), stats_at(1), stream.End("done"))
    source.start(posted)
    posted.lost(1)
    source.stop()
    assert posted[:4] == [hello(), round_at(1), stats_at(1), stream.End("done")]


@pytest.mark.parametrize("then", [WAITS, "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)"])
def test_nothing_of_it_stays(connect: Ssh, tmp_path: Path, then: str) -> None:
    posted = Posted()
    source = connect(stream.MAGIC, hello(), then=then)
    source.start(posted)
    assert eventually(lambda: len(posted) > 0)
    source.stop()
    for pid in map(int, (tmp_path / "pids").read_text().split()):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert not [item for item in posted if isinstance(item, Lost)], "that was asked for"


def test_a_stop_that_is_asked_for_ends_it(connect: Ssh) -> None:
    end = stream.encode(stream.End("stopped"))
    posted = Posted()
    source = connect(stream.MAGIC, hello(), then=f"os.read(0, 100); os.write(1, {end!r})")
    source.start(posted)
    assert eventually(lambda: len(posted) > 0)
    source.send(stream.Stop())
    assert source._thread is not None
    source._thread.join(60)
    assert posted == [hello(), stream.End("stopped")]
