"""The Debian package: it runs, says what it is, and has nothing of the place where it was built."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ringtop.bpf import VERSION
from ringtop.tui.cli.completing import SHELLS, script
from ringtop.tui.cli.main import ringtop
from tests.project.test_packaging import ROOT, copied, make_wheel
from tests.tools import tool

pytestmark = pytest.mark.slow
DEB = ROOT / ".deb"
HOME = Path("usr/lib/ringtop")
LIBRARIES = ("google.protobuf", "msgspec", "numpy", "prometheus_client", "psutil", "re2", "textual", "zstandard")
SCRIPTS = ("postinst", "prerm", "postrm")


def run(*command: str | Path, cwd: Path | None = None, **environment: str) -> str:
    """What *command* prints. It must end well."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=os.environ | environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, not compressed."""
    tool("dpkg-shlibdeps")
    scratch = tmp_path_factory.mktemp("deb")
    wheel = make_wheel(copied(scratch / "source"), scratch / "wheel")
    own = {
        "SOURCE_DATE_EPOCH": "0",
        "TMPDIR": str(scratch),
        "DPKG_DEB_COMPRESSOR_TYPE": "none",
        "PIP_NO_WARN_SCRIPT_LOCATION": "1",
    }
    return Path(run(DEB / "build", wheel, scratch, **own).strip())


@pytest.fixture(scope="module")
def tree(package: Path) -> Path:
    """What the package holds; DEBIAN has its control files."""
    run("dpkg-deb", "-R", package, package.parent / "tree")
    return package.parent / "tree"


def test_it_runs_with_the_libraries_inside_alone(tree: Path) -> None:
    python = tree / HOME / "bin/python"
    (tree / "usr/bin" / python.readlink().name).symlink_to(Path(sys.executable).resolve())
    told = run(python, "-IB", "-m", "ringtop.tui", "--version", cwd=Path("/"), PATH="")
    assert told.startswith(f"ringtop  {VERSION}\n")
    names = "ringtop.tui.app.app", "ringtop.tui.metrics.metrics", *LIBRARIES
    code = f"import sys, {', '.join(names)}\nprint(*(sys.modules[name].__file__ for name in {names}), sep='\\n')"
    files = run(python, "-IB", "-c", code, cwd=Path("/"), PATH="").splitlines()
    assert [file for file in files if not Path(file).is_relative_to(tree)] == []
    assert (tree / "usr/bin/ringtop").read_text().startswith(f"#!/{HOME}/bin/python -I\n")


def test_nothing_in_it_is_of_the_place_where_it_was_built(package: Path, tree: Path) -> None:
    places = [str(ROOT).encode(), str(package.parent).encode()]
    files = [file for file in tree.rglob("*") if file.is_file() and not file.is_symlink()]
    assert len(files) > 1000
    assert [file for file in files for place in places if place in file.read_bytes()] == []
    assert [file for file in files if file.suffix == ".pyc"] == []
    assert [file for file in files if file.name == "RECORD"] == [], "has sums of scripts that name the folder"
    owners = {line.split()[1] for line in run("dpkg-deb", "-c", package).splitlines()}
    assert owners == {"root/root"}


def test_it_says_what_it_is(package: Path, tree: Path) -> None:
    fields = dict(line.split(": ", 1) for line in run("dpkg-deb", "-f", package).splitlines() if line[0] != " ")
    assert fields["Version"] == f"{VERSION}-1~local"
    assert package.name == f"ringtop_{fields['Version']}_{fields['Architecture']}.deb"
    minor = sys.version_info.minor
    assert f"python3 (>= 3.{minor}~), python3 (<< 3.{minor + 1}~), libbpf1" in fields["Depends"]
    assert "libc6 (>=" in fields["Depends"]
    run("md5sum", "--check", "--quiet", "DEBIAN/md5sums", cwd=tree)
    for name in SCRIPTS:
        assert (tree / "DEBIAN" / name).stat().st_mode & 0o777 == 0o755
        run("sh", "-n", tree / "DEBIAN" / name)


def test_it_brings_the_page_the_completions_the_units_and_the_licences(tree: Path) -> None:
    share = tree / "usr/share"
    page = gzip.decompress((share / "man/man1/ringtop.1.gz").read_bytes()).decode()
    assert f'"ringtop {VERSION}"' in page
    assert f"/{HOME}/lib/python3" in page.replace("\\\n", "")  # where the dashboard is
    places = (
        "bash-completion/completions/ringtop",
        "zsh/vendor-completions/_ringtop",
        "fish/vendor_completions.d/ringtop.fish",
    )
    for shell, place in zip(SHELLS, places, strict=True):
        assert (share / place).read_text().strip() == script(shell, ringtop).strip()
    for unit in (ROOT / "tui/cli").glob("*.service"):
        assert (tree / "lib/systemd/system" / unit.name).read_text() == unit.read_text()
    copyright = (share / "doc/ringtop/copyright").read_text()
    bundled = list((tree / HOME).glob("lib/python3*/site-packages/*.dist-info"))
    assert len(bundled) > 10
    for one in bundled:
        assert one.name.split("-")[0].replace("_", "-").lower() in copyright.replace("_", "-").lower()
    assert gzip.decompress((share / "doc/ringtop/changelog.gz").read_bytes()) == (ROOT / "CHANGELOG.md").read_bytes()
