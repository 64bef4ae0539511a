"""Kernels of Debian releases, fetched by apt with lists of its own: the system's are neither used nor changed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

SUITES = {"5.10": "bullseye", "6.1": "bookworm", "6.12": "trixie"}
"""The kernel that a release came with."""
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class CannotFetch(Exception):
    """There is no such kernel to be had; the text says why."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel to boot."""

    image: Path
    """A bzImage."""
    modules: Path | None
    """A folder with its modules, at any depth; None where what the root needs is built in."""


def _output(*command: str, folder: Path | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=os.environ | {"LC_ALL": "C"})
    if done.returncode:
        raise CannotFetch(f"{' '.join(command[:1] + command[-2:])} failed:\n{done.stderr.strip()}")
    return done.stdout


def _mirror() -> str:
    """The Debian mirror that this machine's apt uses."""
    targets = _output("apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages")
    found = re.search(r"^Debian (\S+)$", targets, re.MULTILINE)
    if not found:
        raise CannotFetch("apt knows no Debian mirror here (after `apt-get update`): name one with --mirror")
    return found[1]


def _apt(root: Path, suite: str, mirror: str) -> list[str]:
    """Options that make apt look at *suite* alone."""
    for folder in ("lists/partial", "cache/archives/partial", "preferences.d"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "status").touch()
    mirror = mirror.rstrip("/")
    sources = [f"{mirror} {suite}"]
    if suite in SUITES.values():
        sources.append(f"{mirror}-security {suite}-security")
    (root / "sources.list").write_text("".join(f"deb [signed-by={_KEYRING}] {source} main\n" for source in sources))
    places = {
        "Dir::Etc::sourcelist": root / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferencesparts": root / "preferences.d",
        "Dir::State": root,
        "Dir::State::status": root / "status",
        "Dir::Cache": root / "cache",
        "APT::Architecture": "amd64",
        "APT::Architectures": "amd64",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",
    }
    return [word for name, value in places.items() for word in ("-o", f"{name}={value}")]


def _depends(options: list[str], package: str, wanted: str) -> list[str]:
    told = _output("apt-cache", *options, "depends", package)
    return re.findall(rf"Depends: ({wanted})$", told, re.MULTILINE)


def kernel(name: str, cache: Path, mirror: str = "") -> Kernel:
    """The newest kernel of the suite called *name*, or that came with the kernel called so. Raises CannotFetch."""
    suite = SUITES.get(name, name)
    options = _apt(cache / "apt" / suite, suite, mirror or _mirror())
    _output("apt-get", *options, "-qq", "update")
    images = _depends(options, "linux-image-amd64", r"linux-image-\d\S+")
    if not images:
        raise CannotFetch(f"{suite} has no linux-image-amd64")
    release = images[0].removeprefix("linux-image-")
    home = cache / release
    if not home.is_dir():
        # Since 7.x an image is three packages.
        packages = [*images, *_depends(options, images[0], rf"linux-(?:binary|modules)-{re.escape(release)}")]
        with tempfile.TemporaryDirectory(dir=cache) as work:
            _output("apt-get", *options, "-qq", "download", *packages, folder=Path(work))
            for package in sorted(Path(work).glob("*.deb")):
                _output("dpkg-deb", "-x", str(package), f"{work}/all")
            shutil.move(f"{work}/all", home)  # whole, or not at all
    modules = next((m for top in ("lib", "usr/lib") if (m := home / top / "modules" / release).is_dir()), home)
    image = next(home.rglob(f"vmlinuz*{release}"), None) or next(home.rglob("vmlinuz"), None)
    if image is None:
        raise CannotFetch(f"there is no vmlinuz in {', '.join(images)}")
    return Kernel(image, modules)
