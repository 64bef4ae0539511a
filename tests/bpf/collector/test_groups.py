"""What control groups are called: each is told once, before the round that has it, and one that comes later, later."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringtop.bpf.collector import groups
from ringtop.bpf.collector.containers import Containers
from ringtop.bpf.collector.groups import Groups
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.names import LONGEST
from ringtop.bpf.kernel import hierarchy
from ringtop.bpf.kernel.hierarchy import Hierarchy
from tests.samples import make


def told(found: Groups, *folders: Path) -> dict[int, bytes]:
    """What is told before a round with events of these control groups: paths by id."""
    batch = events(*folders)
    return {cgroup: path for message in found.news([batch]) for cgroup, path, _ in message.groups}


def events(*folders: Path) -> Batch:
    return make("execsnoop", [{"cgroup": folder.stat().st_ino} for folder in folders])


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("system.slice/nginx.service", "a/b"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "cgroup.procs").touch()
    return tmp_path


def test_each_is_told_once(tree: Path) -> None:
    found, nginx = Groups(tree, Containers()), tree / "system.slice" / "nginx.service"
    assert told(found, nginx, tree, nginx) == {
        nginx.stat().st_ino: b"/system.slice/nginx.service",
        tree.stat().st_ino: b"/",
    }
    assert told(found, nginx, tree / "a" / "b", tree) == {(tree / "a" / "b").stat().st_ino: b"/a/b"}
    assert told(found, nginx, tree, tree / "a" / "b") == {}


def test_one_that_is_made_later_is_told_when_it_is_found(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Groups(tree, Containers())
    told(found, tree)
    late = tree / "late.service"
    late.mkdir()
    assert told(found, late) == {}, "one walk a second is enough"
    monkeypatch.setattr(groups, "_EVERY_S", 0.0)
    assert told(found) == {late.stat().st_ino: b"/late.service"}


def test_where_ids_are_longer_than_inode_numbers(tree: Path) -> None:
    batch = make("execsnoop", [{"cgroup": 3 << 32 | (tree / "a").stat().st_ino}])
    (message,) = Groups(tree, Containers(), 32).news([batch])
    assert message.groups == [(batch.rows["cgroup"][0], b"/a", b"")]


def test_one_that_is_gone_is_not_looked_for_again(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, walks = Groups(tree, Containers()), []
    monkeypatch.setattr(groups, "_EVERY_S", -1.0)
    monkeypatch.setattr(hierarchy, "walk", lambda top: walks.append(top) or [(29, b"/a")])
    batch = make("execsnoop", [{"cgroup": 23}, {"cgroup": 29}])
    for _ in range(3):
        list(found.news([batch]))
    assert len(walks) == 1


def test_readers_that_forgot_the_oldest_are_told_again(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MOST", 2)
    monkeypatch.setattr(groups, "_EVERY_S", 0.0)
    found = Groups(tree, Containers())
    for folder in (tree, tree / "a", tree / "a" / "b"):
        assert len(told(found, folder)) == 1
    assert len(told(found, tree)) == 1


def test_of_a_path_that_is_too_long_the_end_is_left_out(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = b"/a.service" + b"/" + b"x" * (LONGEST - 12) + b"/y"
    monkeypatch.setattr(hierarchy, "walk", lambda top: [(23, deep), (29, deep[:-2])])
    batch = make("execsnoop", [{"cgroup": 23}, {"cgroup": 29}])
    (message,) = Groups(tree, Containers()).news([batch])
    assert sorted(path for _, path, _ in message.groups) == [deep[:-2], deep[:-2]]


def test_where_there_is_no_hierarchy_nothing_is_told(tmp_path: Path) -> None:
    assert told(Groups(None, Containers()), tmp_path) == {}


UNIFIED = "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:7 - cgroup2 cgroup2 rw,nsdelegate\n"
MEMORY = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
V1 = Hierarchy("memory", 4, Path("/sys/fs/cgroup/memory"))


@pytest.mark.parametrize(
    ("groups", "mounts", "found"),
    [
        ("0::/system.slice/ssh.service\n", UNIFIED, Hierarchy(top=Path("/sys/fs/cgroup/unified"))),
        ("1:name=systemd:/a:b\n0::/a:b\n", MEMORY + UNIFIED, Hierarchy(top=Path("/sys/fs/cgroup/unified"))),
        ("5:net_cls:/\n0::/\n", UNIFIED, Hierarchy(top=Path("/sys/fs/cgroup/unified"))),
        ("9:cpu,cpuacct:/\n4:memory:/job\n0::/\n", UNIFIED + MEMORY, V1),
        ("9:cpu,cpuacct:/\n", UNIFIED, Hierarchy("cpu", 9)),
        ("", "", Hierarchy()),
    ],
)
def test_the_hierarchy_that_counts(tmp_path: Path, groups: str, mounts: str, found: Hierarchy) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text(groups)
    (tmp_path / "self" / "mountinfo").write_text(f"22 27 0:21 / /proc rw - proc proc rw\n{mounts}")
    assert hierarchy.of_this_host(tmp_path) == found


def test_a_kernel_without_control_groups(tmp_path: Path) -> None:
    assert hierarchy.of_this_host(tmp_path) == Hierarchy()
