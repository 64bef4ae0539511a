"""The set-up script where it must not act, or must act with care: apt, pip and the interpreter are stand-ins here."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEBIAN = 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'


class Place:
    """A folder with the set-up script, and a PATH whose first folder holds stand-ins that log how they are called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.log = folder / "log"
        self.python = self.bin / "python3"
        self.release = folder / "os-release"
        for path in (".ci/setup", "pyproject.toml"):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, folder / path)
        self.bin.mkdir()
        self.log.touch()
        self.release.write_text(DEBIAN)
        self.command("id", "echo 0")
        self.command("apt-get")
        self.command("apt-cache", "echo '  Candidate: 1.0'")
        self.command("systemctl")

    def command(self, name: str, script: str = "") -> None:
        """A stand-in for *name*."""
        path = self.bin / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>"{self.log}"\n{script}\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def setup(self, what: str = "run") -> tuple[int, str]:
        """(exit status, what it said)."""
        env = os.environ | {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "PYTHON": str(self.python),
            "OS_RELEASE": str(self.release),
        }
        command = ["sh", str(self.folder / ".ci/setup"), what]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=120)
        assert done.stdout == ""  # the output of `make run` may be piped
        return done.returncode, done.stderr

    def calls(self, name: str) -> list[str]:
        """How *name* was called."""
        return [line for line in self.log.read_text().splitlines() if line.split()[0] == name]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize(
    ("release", "command"),
    [
        ("ID=fedora", "dnf install libbpf python3 python3-bcc"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"', "dnf install libbpf python3 python3-bcc"),
        ("ID=arch", "pacman -S --needed libbpf python python-bcc"),
        ('ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"', "zypper install libbpf1 python3 python3-bcc"),
    ],
)
def test_other_distributions_get_the_command_and_nothing_is_done(place: Place, release: str, command: str) -> None:
    place.release.write_text(release)
    status, said = place.setup()
    assert status == 1
    assert f"    {command}\n" in said
    assert place.calls("apt-get") == []


@pytest.mark.parametrize("release", ["ID=gentoo\nPRETTY_NAME=Gentoo", ""])
def test_an_unknown_distribution_gets_the_names_elsewhere(place: Place, release: str) -> None:
    place.release.write_text(release)
    status, said = place.setup()
    assert status == 1
    assert "python3-bpfcc" in said
    assert "another project" in said
    assert place.calls("apt-get") == []


def test_no_package_is_installed_without_root(place: Place) -> None:
    place.command("id", "echo 1000")
    place.command("sudo")
    status, said = place.setup("test")
    assert status == 1
    assert "    sudo apt-get update\n    sudo apt-get install --no-install-recommends " in said
    assert "python3-bpfcc" in said
    assert place.calls("apt-get") == place.calls("sudo") == []


def test_a_known_package_is_installed_without_an_update(place: Place) -> None:
    status, said = place.setup()
    (call,) = place.calls("apt-get")
    assert call.endswith("install --no-install-recommends libbpf1 python3 python3-bpfcc python3-venv")
    assert status == 1  # the stand-in installs nothing
    assert f"there is no {place.python}" in said


def test_empty_lists_are_updated_first(place: Place) -> None:
    place.command(
        "apt-cache", f"[ -e '{place.folder}/updated' ] && echo '  Candidate: 1.0' || echo '  Candidate: (none)'"
    )
    place.command("apt-get", f"case $* in *update) touch '{place.folder}/updated';; esac")
    place.setup()
    update, install = place.calls("apt-get")
    assert update.endswith("update")
    assert "install" in install


def test_lists_that_are_out_of_date_are_updated_once(place: Place) -> None:
    place.command("apt-get", 'case $* in *install*) echo "E: 404 Not Found"; exit 100;; esac')
    status, said = place.setup()
    assert [c.split()[-1] == "update" for c in place.calls("apt-get")] == [False, True, False]
    assert status == 1
    assert "404 Not Found" in said
    assert "could not install" in said


def test_the_ssh_server_that_the_tests_need_is_not_started(place: Place) -> None:
    script = place.folder / ".ci/setup"
    script.write_text(script.read_text().replace("test  sshd ", "test  not-here "))
    place.setup("test")
    calls = [line for line in place.log.read_text().splitlines() if " openssh-server" in line or "systemctl" in line]
    assert [call.split()[:3] for call in calls if "policy" not in call] == [
        ["systemctl", "-q", "mask"],
        ["apt-get", "-qq", "-y"],
        ["systemctl", "-q", "unmask"],
        ["systemctl", "-q", "disable"],
    ]


def test_a_package_that_apt_does_not_know_stops_it_when_ringtop_needs_it(place: Place) -> None:
    place.command("apt-cache", "case $* in *libbpf1) ;; *) echo '  Candidate: 1.0' ;; esac")
    status, said = place.setup()
    assert status == 1
    assert "apt does not know libbpf1" in said


@pytest.mark.parametrize("version", ["3.9.2", "3.10.12", "2.7.18"])
def test_an_old_interpreter_is_refused_before_anything_is_touched(place: Place, version: str) -> None:
    place.command("python3", f"echo '{version} missing'")
    (place.folder / ".venv").mkdir()
    status, said = place.setup()
    assert status == 1
    assert f"Python {version}" in said
    assert "3.11" in said
    assert place.calls("apt-get") == []
    assert (place.folder / ".venv").is_dir()


@pytest.fixture
def ready(place: Place) -> Place:
    """A place whose .venv looks finished, but for what pip has to install; its pip only counts."""
    venv = place.folder / ".venv"
    place.command("python3", "case $* in *pip*install*) ;; *) echo '3.11.2 ok' ;; esac")
    (venv / "bin").mkdir(parents=True)
    (venv / "lib/python3.11/site-packages").mkdir(parents=True)
    (venv / "bin/python").symlink_to(place.python)
    (venv / "bin/pip").write_text(f"#!{venv}/bin/python\n")
    (venv / "bin/ringtop").touch(0o755)
    (venv / "pyvenv.cfg").write_text("include-system-site-packages = true\n")
    return place


def installs(place: Place) -> int:
    return sum("pip install" in call for call in place.calls("python3"))


def test_what_is_done_is_skipped_until_the_project_changes(ready: Place) -> None:
    assert ready.setup()[0] == 0
    assert installs(ready) == 1
    assert ready.setup() == (0, "")
    assert installs(ready) == 1
    with (ready.folder / "pyproject.toml").open("a") as f:
        f.write("\n# changed\n")
    assert ready.setup()[0] == 0
    assert installs(ready) == 2


def test_what_is_set_up_for_the_tests_is_set_up_for_running(ready: Place) -> None:
    tools = "gcc tmux bpftool runqslower sudo jq mandoc systemd-analyze zsh fish dpkg-shlibdeps ssh sshd"
    for tool in tools.split():
        ready.command(tool)
    ready.command("apt-get", "touch prometheus_2.deb")
    ready.command(
        "dpkg-deb", "mkdir -p files/usr/bin; touch files/usr/bin/prometheus; chmod +x files/usr/bin/prometheus"
    )
    assert ready.setup("test")[0] == 0
    assert [call.split()[2:] for call in ready.calls("apt-get")] == [["download", "prometheus"]]  # and not installed
    assert (ready.folder / ".venv/prometheus/usr/bin/prometheus").is_file()
    assert installs(ready) == 1
    assert ready.setup("run") == ready.setup("test") == (0, "")
    assert installs(ready) == 1


@pytest.mark.parametrize(
    ("state", "complaint"),
    [
        ("missing", "bcc cannot be used"),
        ("wrong /usr/local/bcc.py", "/usr/local/bcc.py is not the BPF Compiler Collection"),
        ("broken libbcc.so.0: cannot open", "libbcc.so.0: cannot open"),
    ],
)
def test_a_bcc_that_cannot_be_used_is_named_once_and_stops_nothing(ready: Place, state: str, complaint: str) -> None:
    ready.command("python3", f"case $* in *pip*install*) ;; *) echo '3.11.2 {state}' ;; esac")
    ready.command("apt-cache", "case $* in *bpfcc) ;; *) echo '  Candidate: 1.0' ;; esac")
    status, said = ready.setup()
    assert status == 0, said
    assert complaint in said
    assert "Without bcc" in said
    assert ("apt does not know python3-bpfcc" in said) == (state == "missing")
    assert installs(ready) == 1
    assert ready.setup() == (0, "")


@pytest.mark.parametrize("release", ["ID=fedora", DEBIAN, "ID=gentoo"])
def test_a_bcc_that_somebody_else_has_to_install_stops_nothing(ready: Place, release: str) -> None:
    ready.release.write_text(release)
    ready.command("id", "echo 1000")
    ready.command("python3", "case $* in *pip*install*) ;; *) echo '3.11.2 missing' ;; esac")
    status, said = ready.setup()
    assert status == 0, said
    assert "python3-bpfcc" in said or "python3-bcc" in said
    assert "Without bcc" in said
    assert ready.calls("apt-get") == []
    assert ready.setup() == (0, "")


def test_pip_that_fails_says_what_it_needs_and_is_tried_again(ready: Place) -> None:
    ready.command("python3", "case $* in *pip*install*) echo offline >&2; exit 1 ;; *) echo '3.11.2 ok' ;; esac")
    for tries in (1, 2):
        status, said = ready.setup()
        assert status == 1
        assert "offline" in said
        assert "PIP_INDEX_URL" in said
        assert installs(ready) == tries


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda venv: (venv / "bin/pip").write_text("#!/elsewhere/.venv/bin/python\n"), "another folder"),
        (lambda venv: (venv / "bin/pip").unlink(), "not finished"),
        (lambda venv: (venv / "pyvenv.cfg").write_text("include-system-site-packages = false\n"), "system's packages"),
        (lambda venv: (venv / "lib/python3.11").rename(venv / "lib/python3.10"), "another Python"),
        (lambda venv: (venv / "bin/python").unlink(), "another interpreter"),
    ],
)
def test_a_foreign_environment_is_made_anew(ready: Place, spoil: Callable[[Path], object], reason: str) -> None:
    assert ready.setup()[0] == 0
    spoil(ready.folder / ".venv")
    status, said = ready.setup()
    assert status == 1  # the stand-in makes none
    assert reason in said.splitlines()[0]
    assert any("-m venv --system-site-packages" in call for call in ready.calls("python3"))


def test_without_bash_it_gives_the_commands(tmp_path: Path) -> None:
    """As on Alpine, with make and another shell."""
    (tmp_path / "cat").symlink_to(shutil.which("cat") or "")
    command = ["/bin/sh", str(ROOT / ".ci/setup"), "run"]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is none here" in done.stderr
    assert ".venv/bin/pip install -e .\n" in done.stderr
