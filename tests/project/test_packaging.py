"""The shape of the repository and of what is built from it: rules that its readers rely on."""

from __future__ import annotations

import ast
import json
import statistics
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from ringtop.bpf.event.schema import SCHEMAS

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETUPTOOLS = PROJECT["tool"]["setuptools"]
FOLDERS = ("bpf", "themes", "tui")
"""Each is a package of ringtop."""

TOP_LEVEL = {"pyproject.toml", "tui", "bpf", "themes", "tests", "README.md", "LICENSE", "CHANGELOG.md", "Makefile"}
TRANSPORT = ("ringbuf", "perf_submit", "perf_event_output", "bpf_ringbuf", "perfbuf", "output(")
MAX_LINES, MAX_MEDIAN = 500, 150


def tracked() -> list[PurePosixPath]:
    """Files in git's index that are there."""
    git = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z"]
    listed = subprocess.run(git, capture_output=True, text=True, check=True).stdout
    return [PurePosixPath(name) for name in listed.split("\0") if name and (ROOT / name).exists()]


def installed_name(path: PurePosixPath) -> PurePosixPath:
    """Where a file of a package is in the wheel: ringtop/bpf/x for bpf/x."""
    return "ringtop" / path


def shipped() -> set[str]:
    """All files of the packages, by their name in the wheel."""
    return {str(installed_name(p)) for p in tracked() if p.parts[0] in FOLDERS}


def line_counts() -> dict[str, int]:
    return {
        str(p): len((ROOT / p).read_bytes().splitlines())
        for p in tracked()
        if p.suffix in {".py", ".c", ".h"} and not (ROOT / p).is_symlink()
    }


def imports(source: str, package: str) -> Iterator[str]:
    """Full names of the modules that a module of *package* imports, anywhere in it; import_module("…") included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            yield from (a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str))


def imports_of(folder: str) -> Iterator[tuple[str, str]]:
    """(file, module) of all imports in a folder."""
    for path in tracked():
        if path.parts[0] == folder and path.suffix == ".py":
            package = ".".join(installed_name(path).parent.parts)
            for module in imports((ROOT / path).read_text(), package):
                yield str(path), module


def loaded_after_import(package: str) -> set[str]:
    """Names of the modules in a fresh interpreter that has imported every module of *package*."""
    code = (
        "import importlib, json, pkgutil, sys\n"
        f"package = importlib.import_module({package!r})\n"
        f"for module in pkgutil.walk_packages(package.__path__, {package!r} + '.'):\n"
        "    if not module.name.endswith('__main__'):\n"
        "        importlib.import_module(module.name)\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_reader_of_imports_sees_every_form() -> None:
    source = "import a.b\nfrom .. import c\nfrom .d import e\ndef f():\n    x.import_module('g')\n    __import__('h')"
    assert set(imports(source, "x.y")) == {"a.b", "x", "x.c", "x.y.d", "x.y.d.e", "g", "h"}


def test_packages_are_those_of_the_tree() -> None:
    """A new folder has to be named: setuptools would not find it, as `ringtop` itself is no package of ours."""
    folders = {p.parent for p in tracked() if p.suffix == ".py" and p.parts[0] in FOLDERS}
    assert sorted(["ringtop", *(".".join(installed_name(f).parts) for f in folders)]) == SETUPTOOLS["packages"]
    assert [str(f) for f in folders if not (ROOT / f / "__init__.py").is_file()] == []


def test_each_package_is_typed_and_visible_to_the_type_checker() -> None:
    for folder in FOLDERS:
        assert (ROOT / folder / "py.typed").is_file()
        link = ROOT / ".packages/ringtop" / folder
        assert link.is_symlink()
        assert link.resolve() == ROOT / folder


def copied(source: Path) -> Path:
    """*source*, to which the tracked files were copied."""
    for path in tracked():
        target = source / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / path).is_symlink():
            target.symlink_to((ROOT / path).readlink())
        else:
            target.write_bytes((ROOT / path).read_bytes())
    return source


def python(*args: str, cwd: Path) -> None:
    """Run the interpreter of the tests."""
    done = subprocess.run([sys.executable, *args], capture_output=True, text=True, check=False, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr


def make_wheel(source: Path, out: Path) -> Path:
    """The wheel of *source*, in the folder *out*."""
    pip = ("-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(out), ".")
    python(*pip, cwd=source)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Names in the wheel, in the source distribution and in the wheel made of that, of a copy of the tracked files."""
    scratch = tmp_path_factory.mktemp("build")
    source = copied(scratch / "source")

    def wheel(folder: Path, name: str) -> set[str]:
        with zipfile.ZipFile(make_wheel(folder, scratch / name)) as archive:
            return set(archive.namelist())

    backend = "from setuptools.build_meta import build_sdist; build_sdist('../sdist')"
    (scratch / "sdist").mkdir()
    python("-c", backend, cwd=source)
    with tarfile.open(next((scratch / "sdist").glob("*.tar.gz"))) as archive:
        archive.extractall(scratch / "unpacked")
    (unpacked,) = (scratch / "unpacked").iterdir()
    sdist = {str(p.relative_to(unpacked)) for p in unpacked.rglob("*") if p.is_file()}
    return {"sdist": sdist, "wheel of sdist": wheel(unpacked, "second"), "wheel": wheel(source, "first")}


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(built: dict[str, set[str]]) -> None:
    own = {name for name in built["wheel"] if not name.split("/")[0].endswith(".dist-info")}
    assert own == shipped()
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in built["wheel"])


@pytest.mark.slow
def test_the_wheel_holds_each_kind_of_data(built: dict[str, set[str]]) -> None:
    suffixes = {PurePosixPath(name).suffix for name in built["wheel"]}
    assert {".c", ".h", ".o", ".toml", ".service"} <= suffixes
    assert sum(name.endswith(".bpf.c") for name in built["wheel"]) == len(SCHEMAS)
    assert sum(name.endswith("/py.typed") for name in built["wheel"]) == 3


@pytest.mark.slow
def test_the_source_distribution_builds_the_same_wheel(built: dict[str, set[str]]) -> None:
    assert built["wheel of sdist"] == built["wheel"]
    assert {"LICENSE", "README.md", "pyproject.toml"} <= built["sdist"]


def test_the_viewer_never_imports_bcc() -> None:
    assert [(f, m) for f, m in imports_of("tui") if m.split(".")[0] == "bcc"] == []


def test_importing_the_viewer_loads_no_bcc() -> None:
    assert not {m for m in loaded_after_import("ringtop.tui") if m.split(".")[0] == "bcc"}


def test_what_runs_as_root_never_imports_the_viewer_or_its_libraries() -> None:
    viewer = {"textual", "rich"}
    bad = [(f, m) for f, m in imports_of("bpf") if m.split(".")[0] in viewer or f"{m}.".startswith("ringtop.tui.")]
    assert bad == []


def test_importing_the_kernel_side_loads_no_viewer() -> None:
    loaded = loaded_after_import("ringtop.bpf")
    assert not {m for m in loaded if m.split(".")[0] in {"textual", "rich"} or f"{m}.".startswith("ringtop.tui.")}


def test_the_top_level_holds_only_what_was_agreed() -> None:
    assert {p.parts[0] for p in tracked() if not p.parts[0].startswith(".")} == TOP_LEVEL


def test_no_file_is_too_long_to_read() -> None:
    counts = line_counts()
    assert {f: n for f, n in counts.items() if n > MAX_LINES} == {}
    assert statistics.median(counts.values()) < MAX_MEDIAN


def test_programs_leave_the_transport_to_emit() -> None:
    programs = sorted((ROOT / "bpf/programs").glob("*.bpf.c"))
    assert [p.name for p in programs] == [f"{name}.bpf.c" for name in sorted(SCHEMAS)]
    for program in programs:
        text = program.read_text()
        assert "emit(" in text
        assert [word for word in TRANSPORT if word in text.lower()] == [], program.name


def test_the_licence_is_one_the_kernel_accepts_for_its_gpl_only_helpers() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert PROJECT["project"]["license"] == "GPL-2.0-only"
    assert "GPL-2.0-only" in text
    assert "Version 2, June 1991" in text
    assert "END OF TERMS AND CONDITIONS" in text
