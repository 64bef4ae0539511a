"""Files that a command line, the config or HOME names are opened with the rights of who asked, not with root's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernel.tracing import RINGTOP
from tests.processes import called, eventually
from tests.terminal import Terminal
from tests.tui.source.recordings import messages, write

pytestmark = pytest.mark.beside
USER = 4242
KEPT = "root's"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file of root's, which nobody else may read or write."""
    file = tmp_path / "secret.prom"
    file.write_text(KEPT)
    file.chmod(0o600)
    return file


def ringtop(*arguments: str, sudo: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it as root, for a *sudo* of the user's."""
    who = {"SUDO_UID": str(USER)} if sudo else {}
    env = {k: v for k, v in os.environ.items() if k != "SUDO_UID"} | who | environment
    return subprocess.run([*RINGTOP, *arguments], capture_output=True, text=True, timeout=120, env=env)


@pytest.mark.parametrize("sudo", [True, False])
def test_a_summary_does_not_follow_a_link_of_somebody_else(folder: Path, secret: Path, sudo: bool) -> None:
    link = folder / "summary"
    link.symlink_to(secret)
    os.lchown(link, USER, USER)
    done = ringtop("trace", "execsnoop", "--duration", "0.1", "--summary", str(link), sudo=sudo)
    assert done.returncode == 2, done.stderr
    assert f"{link} cannot be written" in done.stderr
    assert secret.read_text() == KEPT


@pytest.mark.parametrize("command", ["trace execsnoop --summary", "record --overwrite", "metrics --textfile"])
def test_root_is_not_led_to_its_own_files_by_a_link_on_the_way(folder: Path, secret: Path, command: str) -> None:
    (folder / "on").symlink_to(secret.parent)
    done = ringtop(*command.split(), str(folder / "on" / secret.name), sudo=False)
    assert done.returncode == 2, done.stderr
    assert "cannot be written" in done.stderr
    assert secret.read_text() == KEPT


@pytest.mark.parametrize("what", ["summary", "recording", "config", "replay", "replay in the viewer", "replay of top"])
def test_what_the_user_may_not_touch_is_refused(secret: Path, what: str) -> None:
    commands = {
        "summary": ("trace", "execsnoop", "--summary", str(secret)),
        "recording": ("record", str(secret), "--overwrite"),
        "config": ("--config", str(secret), "demo"),
        "replay": ("replay", str(secret), "--format", "json"),
        "replay in the viewer": ("replay", str(secret)),
        "replay of top": ("top", "--replay", str(secret)),
    }
    done = ringtop(*commands[what])
    assert done.returncode == 2, done.stderr
    assert "Permission denied" in done.stderr
    assert secret.read_text() == KEPT


@pytest.fixture(params=["root", "sudo"])
def asked(request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment of root, and of a sudo of the user's."""
    return {"SUDO_UID": str(USER)} if request.param == "sudo" else {}


def runs_as(pid: int) -> int:
    """The user of a process."""
    return int(Path(f"/proc/{pid}/status").read_text().split("Uid:")[1].split()[0])


def test_a_recording_is_shown_by_a_viewer_that_is_not_root(folder: Path, asked: dict[str, str]) -> None:
    """Though only root, or only who called sudo, may open it."""
    recording = write(folder / "a.ringtop", messages(3))
    recording.chmod(0o600)
    if asked:
        os.chown(recording, USER, USER)
    homes = dict.fromkeys(("XDG_STATE_HOME", "XDG_CONFIG_HOME"), str(folder))
    terminal = Terminal([*RINGTOP, "replay", str(recording)], 24, 120, **homes, **asked)
    try:
        assert terminal.shows("/0:02"), terminal.screen  # the length, for which all of it is read once more
        assert runs_as(called(b"ringtop.tui", terminal.process.pid)[0]) in ([USER] if asked else range(61184, 65520))
    finally:
        terminal.close()


@pytest.mark.parametrize("command", ["replay - --format json", "top --replay -"])
def test_what_prints_a_recording_is_not_root(command: str, asked: dict[str, str], tmp_path: Path) -> None:
    words = [*RINGTOP, *command.split()]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | asked)
    assert process.stdin is not None
    with process:
        process.stdin.write(write(tmp_path / "a", messages(3)).read_bytes())
        process.stdin.flush()
        assert eventually(lambda: runs_as(process.pid) in ([USER] if asked else range(61184, 65520)))


def test_a_summary_belongs_to_who_asked(folder: Path) -> None:
    done = ringtop("trace", "execsnoop", "--duration", "0.1", "--summary", str(folder / "a.json"))
    assert done.returncode == 0, done.stderr
    assert (folder / "a.json").stat().st_uid == USER


def test_under_sudo_the_config_is_the_users(folder: Path) -> None:
    """Whatever HOME sudo has left."""
    home = folder / "home"
    (home / ".config" / "ringtop").mkdir(parents=True)
    (home / ".config" / "ringtop" / "config.toml").write_text("fps = 99\n")
    passwd = folder / "passwd"
    passwd.write_text(f"{Path('/etc/passwd').read_text()}watcher:*:{USER}:{USER}::{home}:/bin/sh\n")
    shell = f'mount --bind {passwd} /etc/passwd && exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", shell, "sh", *RINGTOP, "demo"]
    env = os.environ | {"SUDO_UID": str(USER), "HOME": "/root"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=env)
    assert done.returncode == 2
    assert f"{home}/.config/ringtop/config.toml:1: fps" in done.stderr


STATE = "from ringtop.tui.settings import state; print(state.save(state.SavedState(theme='mono')), state.state_file())"


def test_root_follows_no_link_in_another_users_home(folder: Path, tmp_path: Path) -> None:
    (folder / ".local" / "state").mkdir(parents=True)
    target = tmp_path / "target"
    target.mkdir()
    (folder / ".local" / "state" / "ringtop").symlink_to(target)
    os.lchown(folder / ".local" / "state" / "ringtop", USER, USER)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "SUDO_"))} | {"HOME": str(folder)}
    # Root's own home is another for the test.
    root = ["root", "*", 0, 0, "", str(tmp_path), ""]
    code = f"import pwd; pwd.getpwuid = lambda uid: pwd.struct_passwd({root}); {STATE}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    assert str(tmp_path / ".local" / "state" / "ringtop") in done.stdout
    assert not list(target.iterdir())
