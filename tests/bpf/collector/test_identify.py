"""What is known of an event beyond its hook, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringtop.bpf.collector.identify import has_cgroup_v1, without_root_group
from tests.samples import make


@pytest.mark.parametrize(
    ("text", "v1"),
    [
        ("0::/system.slice/ssh.service\n", False),
        ("1:name=systemd:/user.slice\n0::/user.slice\n", True),  # systemd's hybrid hierarchy
        ("9:name=systemd:/\n4:memory:/job\n", True),
    ],
)
def test_a_host_with_cgroup_v1(tmp_path: Path, text: str, v1: bool) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text(text)
    assert has_cgroup_v1(tmp_path) is v1


def test_a_kernel_without_cgroups(tmp_path: Path) -> None:
    assert not has_cgroup_v1(tmp_path)


def test_the_root_group_is_unknown_and_no_other() -> None:
    batch = make("execsnoop", [{"cgroup": n} for n in (1, 1 | 1 << 32, 0, 2, 2 | 1 << 32, 1 << 32)])
    assert [without_root_group(batch).number("cgroup", i) for i in range(6)] == [
        None,
        None,
        None,
        2,
        2 | 1 << 32,
        1 << 32,
    ]
    assert batch.rows["cgroup"][0] == 1
