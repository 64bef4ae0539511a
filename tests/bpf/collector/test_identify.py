"""What is known of an event beyond its hook, and what is not."""

from __future__ import annotations

from ringtop.bpf.collector.identify import without_root_group
from tests.samples import make


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
