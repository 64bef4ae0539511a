"""``ringtop --version`` tells all that a report of a fault should."""

from __future__ import annotations

import subprocess
import sys
from importlib import machinery, metadata, util
from pathlib import Path

import pytest

from ringtop.bpf.kernel import libbpf
from ringtop.tui.cli import versions

VERSIONS = (sys.executable, "-m", "ringtop.tui", "--version")


def test_it_names_ringtop_and_its_libraries() -> None:
    ended = subprocess.run(VERSIONS, capture_output=True, text=True, timeout=120, check=True)
    told = dict(line.split(None, 1) for line in ended.stdout.splitlines())
    assert list(told) == ["ringtop", "python", "kernel", "textual", "numpy", "libbpf", "bcc"]
    assert told["ringtop"] == metadata.version("ringtop")
    assert told["textual"] == metadata.version("textual")


@pytest.mark.parametrize(
    ("text", "version"), [("__version__ = '0.26.0'\n", "0.26.0"), ("", "unknown version"), (None, "unknown version")]
)
def test_bcc_is_asked_without_being_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, version: str
) -> None:
    if text is not None:
        (tmp_path / "version.py").write_text(text)
    spec = machinery.ModuleSpec("bcc", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(util, "find_spec", lambda name: spec)
    assert versions.versions()["bcc"] == version
    assert "bcc" not in sys.modules


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise libbpf.NoLibbpf("libbpf is not installed")

    monkeypatch.setattr(libbpf, "Libbpf", none)
    monkeypatch.setattr(util, "find_spec", lambda name: None)
    told = versions.versions()
    assert (told["libbpf"], told["bcc"]) == ("none: libbpf is not installed", "none")
