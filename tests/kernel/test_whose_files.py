"""Files that a command line, the config or HOME names are opened with the rights of who asked, not with root's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernel.tracing import RINGTOP

USER = 4242
KEPT = "root's"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file of root's, which nobody else may read or write."""
    file = tmp_path / "secret"
    file.write_text(KEPT)
    file.chmod(0o600)
    return file


def ringtop(*arguments: str, sudo: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it as root, for a *sudo* of the user's."""
    who = {"SUDO_UID": str(USER)} if sudo else {}
    env = {k: v for k, v in os.environ.items() if k != "SUDO_UID"} | who | environment
    return subprocess.run([*RINGTOP, *arguments], capture_output=True, text=True, timeout=60, env=env)


@pytest.mark.parametrize("sudo", [True, False])
def test_a_summary_does_not_follow_a_link_of_somebody_else(folder: Path, secret: Path, sudo: bool) -> None:
    link = folder / "summary"
    link.symlink_to(secret)
    os.lchown(link, USER, USER)
    done = ringtop("trace", "execsnoop", "--duration", "0.1", "--summary", str(link), sudo=sudo)
    assert done.returncode == 2, done.stderr
    assert f"{link} cannot be written" in done.stderr
    assert secret.read_text() == KEPT


@pytest.mark.parametrize("what", ["summary", "recording", "config"])
def test_what_the_user_may_not_touch_is_refused(secret: Path, what: str) -> None:
    commands = {
        "summary": ("trace", "execsnoop", "--summary", str(secret)),
        "recording": ("record", str(secret), "--overwrite"),
        "config": ("--config", str(secret), "demo"),
    }
    done = ringtop(*commands[what])
    assert done.returncode == 2, done.stderr
    assert "Permission denied" in done.stderr
    assert secret.read_text() == KEPT


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
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)
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
