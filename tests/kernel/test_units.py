"""Only the events of a unit arrive, those of a unit that is restarted from its first process on."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringtop.bpf import stream
from ringtop.bpf.collector.following import Following
from ringtop.bpf.collector.start import start_tracer
from ringtop.bpf.common.clock import now_ns
from ringtop.bpf.common.errors import CannotTrace
from ringtop.bpf.common.loaders import Loader
from ringtop.bpf.common.transports import Transport
from ringtop.bpf.kernel import hierarchy
from ringtop.bpf.kernel.features import Kernel
from ringtop.bpf.kernel.hierarchy import Hierarchy
from ringtop.bpf.kernel.marks import HOST, Marks
from ringtop.bpf.options.collector import CollectorOptions
from tests.kernel.old import old_kernel
from tests.kernel.test_control import Listener
from tests.kernel.tracing import PRIME

STORM = 'echo $$ >"$1/cgroup.procs"; n=0; while [ $n -lt $2 ]; do /usr/bin/env -i; n=$((n + 1)); done'


def work(group: Path) -> None:
    """Start so many programs in a control group."""
    subprocess.run(["/bin/sh", "-c", STORM, "sh", group, str(PRIME)], check=True)


def unified() -> Hierarchy:
    """The unified hierarchy, where this host has it."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return Hierarchy(top=next((Path(line.split()[4]) for line in lines if " - cgroup2 " in line), None))


@pytest.fixture(params=[unified, hierarchy.of_this_host])
def kernel(request: pytest.FixtureRequest) -> Kernel:
    """This kernel, with each of the two hierarchies that may count."""
    kernel = Kernel()
    vars(kernel)["hierarchy"] = request.param()
    return kernel


@pytest.fixture
def unit(kernel: Kernel) -> Iterator[Path]:
    """The control group of a unit with another one below it."""
    assert kernel.hierarchy.top is not None
    yield from groups(kernel.hierarchy.top)


def groups(top: Path) -> Iterator[Path]:
    """Make them, and remove them."""
    unit = top / f"ringtop-{os.getpid()}.slice" / "ringtop-test.service"
    (unit / "payload").mkdir(parents=True)
    yield unit
    for folder in (unit / "payload", unit, unit.parent):
        if folder.exists():
            folder.rmdir()


@pytest.mark.parametrize(
    ("loader", "transport"), [("core", "ringbuf"), ("core", "perfbuf"), ("bcc", "ringbuf"), ("bcc", "perfbuf")]
)
def test_a_unit_is_seen_alone_and_again_when_it_is_restarted(
    kernel: Kernel, unit: Path, loader: Loader, transport: Transport
) -> None:
    following = Following(kernel, Marks(kernel), [])
    options = CollectorOptions(programs=("execsnoop",), loader=loader, capture="ret=0", merge_ms=0)
    following.follow_group(lambda find: find.unit("ringtop-test"))
    assert following.scope.text == "unit ringtop-test.service"
    tracer = start_tracer("execsnoop", kernel, options, transport, following.marks, following.scope)
    try:
        first = unit.stat().st_ino
        work(unit)
        work(unit / "payload")
        work(unit.parent)
        (unit / "payload").rmdir()
        unit.rmdir()
        assert "has ended" in following.group_news()
        unit.mkdir()
        second = unit.stat().st_ino
        work(unit)
        assert "followed on" in following.group_news()
        tracer.stop()
        seen = tracer.drain(now_ns()).batch
    finally:
        tracer.close()
        following.follow([])
        following.marks.close()
    assert seen.text("filename") == [b"/usr/bin/env"] * (3 * PRIME)
    found = seen.rows["cgroup"].tolist()
    assert first != second
    assert found.count(first) == found.count(second) == PRIME
    assert len(set(found)) == 3


def test_a_kernel_without_btf_says_why_not() -> None:
    old = old_kernel()
    following = Following(old, marks := Marks(old), [])
    try:
        with pytest.raises(CannotTrace, match="units and containers cannot be followed"):
            following.follow_group(lambda find: find.unit("x"))
        assert following.scope == HOST
    finally:
        marks.close()


def test_the_unit_of_a_row_is_followed_and_the_host_again() -> None:
    top = hierarchy.of_this_host().top
    assert top is not None
    listener = Listener("--capture", "ret=0")
    try:
        for unit in groups(top):
            listener.client.send(stream.Follow(cgroup=(unit / "payload").stat().st_ino))
            state = listener.until(stream.State)
            assert (state.scope, state.cgroup) == ("unit ringtop-test.service", unit.stat().st_ino)
            work(unit / "payload")
            work(unit.parent)
            listener.client.send(stream.Follow(cgroup=1 << 60))
            assert "there is none with this id" in listener.until(stream.Notice).text
            listener.client.send(stream.Follow())
            assert listener.until(stream.State).scope == ""
            listener.client.send(stream.Stop())
            listener.until(stream.End)
    finally:
        listener.client.close()
    rounds = [m for m in listener.seen if isinstance(m, stream.Round)]
    names = [name for r in rounds for rows in r.batches for name in stream.batch(rows).text("filename")]
    assert names.count(b"/usr/bin/env") == PRIME
    told = [group for m in listener.seen if isinstance(m, stream.Cgroups) for group in m.groups]
    assert any(path.endswith(b"/ringtop-test.service/payload") for _, path, _ in told)


def test_a_group_that_is_gone_in_a_moment_has_a_name() -> None:
    top = hierarchy.of_this_host().top
    assert top is not None
    listener = Listener("--capture", "ret=0")
    try:
        made = {}
        for _ in range(PRIME):
            for unit in groups(top):
                made[unit.stat().st_ino] = f"/{unit.relative_to(top)}".encode()
                subprocess.run(["/bin/sh", "-c", STORM, "sh", unit, "1"], check=True)
        listener.client.send(stream.Stop())
        listener.until(stream.End)
    finally:
        listener.client.close()
    told = {group[0]: group[1] for m in listener.seen if isinstance(m, stream.Cgroups) for group in m.groups}
    assert {cgroup: told.get(cgroup) for cgroup in made} == made
