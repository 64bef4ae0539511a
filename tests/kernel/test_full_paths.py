"""Where deleted files were: the full path of each, whatever place the given one starts from."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from ringtop.bpf.collector.start import start_tracer
from ringtop.bpf.common.loaders import Loader
from ringtop.bpf.kernel import loader as loading
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.handle import CannotLoad, Handle
from ringtop.bpf.kernel.ladder import Rung, Variant, ladder
from ringtop.bpf.options.collector import CollectorOptions
from tests.kernel.places import delete_from_places
from tests.kernel.tracing import BY_EACH_LOADER, PRIME, Outcome, Tracing, assert_balanced, running

CHILDREN = ("--capture", f"ppid={os.getpid()}")


def assert_exact(outcome: Outcome, pid: int, expected: list[tuple[str, str]]) -> None:
    """The child's deletions are in *outcome* with the *expected* paths, given and full."""
    assert len(expected) == PRIME
    assert [(r["path"], r["full"]) for r in outcome.rows if r["pid"] == pid] == expected
    assert_balanced(outcome.summary)


@BY_EACH_LOADER
@pytest.mark.parametrize("transport", ["ringbuf", "perfbuf"])
def test_every_full_path_is_exact(tracing: Tracing, tmp_path: Path, transport: str) -> None:
    trace = tracing("unlinksnoop", "--transport", transport, *CHILDREN)
    pid, expected = delete_from_places(tmp_path)
    assert_exact(trace.finish(), pid, expected)


@BY_EACH_LOADER
def test_every_full_path_is_exact_where_entries_are_hooked(loader: Loader, tmp_path: Path) -> None:
    names = [rung.name for rung in ladder("unlinksnoop", Kernel())]
    forced = (sys.executable, "-m", "tests.kernels.forced", str(names.index("syscall tracepoints")))
    with running(("unlinksnoop", "--loader", loader, *CHILDREN), tmp_path / "summary.json", forced) as trace:
        pid, expected = delete_from_places(tmp_path)
        assert_exact(trace.finish(), pid, expected)


def test_what_rm_removes_with_a_folder_is_found_by_its_full_path(tracing: Tracing, tmp_path: Path) -> None:
    folder = tmp_path / "etc/zz"
    files = [folder / f"deep {i}" / f"{i}" for i in range(PRIME)]
    for file in files:
        file.parent.mkdir(parents=True)
        file.touch()
    trace = tracing("unlinksnoop", *CHILDREN, "--filter", f'full~"^{tmp_path}/etc/" and not path~"/"')
    subprocess.run(["rm", "-r", folder], check=True)
    rows = trace.finish().rows
    assert sorted(r["full"] for r in rows if r["op"] == "unlink") == sorted(map(str, files))
    assert sorted(r["full"] for r in rows if r["op"] == "rmdir") == sorted(str(file.parent) for file in files)


def test_where_full_paths_are_refused_paths_are_told_as_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused: list[Loader] = []
    load = loading._load

    def strict(
        by: Loader, program: str, rung: Rung, variant: Variant, kernel: Kernel, parameters: Mapping[str, int]
    ) -> Handle:
        if parameters["FULL_PATHS"]:
            refused.append(by)
            raise CannotLoad("too many instructions")
        return load(by, program, rung, variant, kernel, parameters)

    monkeypatch.setattr(loading, "_load", strict)
    tracer = start_tracer("unlinksnoop", Kernel(), CollectorOptions(capture=CHILDREN[1]))
    try:
        pid, expected = delete_from_places(tmp_path)
        tracer.stop()
        batch = tracer.drain(1 << 62).batch
        state = tracer.state
    finally:
        tracer.close()
    told = [path for path, row in zip(batch.text("full"), batch.rows, strict=True) if row["pid"] == pid]
    assert told == [path.encode() for path, _ in expected]
    assert refused == ["core", "bcc"]
    assert state.loader == "core"
    assert state.hook.endswith(" (paths as given)")
    assert "the directory of a relative path" in state.without
    assert any("full paths: core: too many instructions" in tried for tried in state.tried), state.tried
