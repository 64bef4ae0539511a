"""Hooks whose arguments nothing vouches for are tried before use: nothing is seen of that, and what fails gives way."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ringtop.bpf.collector.start import start_tracer
from ringtop.bpf.collector.tracer import Tracer
from ringtop.bpf.kernel import loader
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.ladder import Rung, ladder
from ringtop.bpf.options.collector import CollectorOptions
from tests.kernel.loads import delete_files
from tests.kernel.old import old_kernel
from tests.kernel.tracing import PRIME

ME = CollectorOptions(capture=f"pid={os.getpid()}")


def doubt(program: str, kernel: Kernel) -> list[Rung]:
    """The ladder's last rung, as if nothing vouched for it."""
    return [replace(ladder(program, kernel)[-1], doubtful=True)]


def told(tracer: Tracer) -> list[tuple[int, str, bytes]]:
    """Number, operation and path of all events, which must be all there are."""
    tracer.stop()
    drained = tracer.drain(1 << 62, audit=True)
    for stats in tracer.stats(drained.audit):
        for cpu in stats.cpus:
            assert cpu.emitted == cpu.received, cpu
            assert cpu.hits == cpu.emitted + cpu.filtered, cpu
    rows = drained.batch.rows
    ops = map(drained.batch.schema["op"].word, rows["op"].tolist())
    return list(zip(rows["seq"].tolist(), ops, drained.batch.text("path"), strict=True))


@pytest.mark.parametrize("kernel", [Kernel, old_kernel], ids=["this kernel", "an old kernel"])
def test_of_the_trial_nothing_is_seen(
    kernel: Callable[[], Kernel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "ladder", doubt)
    os.sched_setaffinity(0, {0})
    try:
        tracer = start_tracer("unlinksnoop", kernel(), ME, "perfbuf")
        delete_files(tmp_path, PRIME)
        rows = told(tracer)
    finally:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    tracer.close()
    done = (("unlink", "file"), ("rmdir", "folder"), ("unlink", "missing"))
    expected = [(op, f"{tmp_path}/{name} {i}".encode()) for i in range(PRIME) for op, name in done]
    assert rows == [(number, *one) for number, one in enumerate(expected)], "numbers begin at 0"


def test_a_rung_that_does_not_tell_a_path_gives_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(program: str, kernel: Kernel) -> list[Rung]:
        (rung,) = doubt(program, kernel)
        deaf = tuple(hook for hook in rung.hooks if hook.function != "enter_rmdir")
        return [replace(rung, name="deaf", hooks=deaf), rung]

    monkeypatch.setattr(loader, "ladder", broken)
    tracer = start_tracer("unlinksnoop", Kernel(), ME)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder").rmdir()
    state = tracer.state
    assert [one for _, *one in told(tracer)] == [["rmdir", bytes(tmp_path / "folder")]]
    tracer.close()
    assert state.hook == "syscall tracepoints"
    (tried,) = state.tried
    assert tried.startswith("deaf: ")
    assert "no event had the path of the rmdir" in tried


def test_this_kernels_types_vouch_for_its_functions() -> None:
    """So nothing needs to be tried; without them it does."""
    kernel = Kernel()
    vars(kernel)["no_kprobes"] = ""  # else nothing is looked for
    assert kernel.functions
    assert kernel.functions == kernel.takes_filename
    assert [ladder("unlinksnoop", one)[0].doubtful for one in (kernel, old_kernel())] == [False, True]
