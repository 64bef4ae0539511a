"""To which units and containers events belong."""

from __future__ import annotations

from ringtop.bpf import stream
from ringtop.bpf.event.batch import Batch
from ringtop.bpf.event.names import Names
from ringtop.tui.model.belonging import belonging
from tests.samples import make


def batch(*rows: tuple[int, int]) -> Batch:
    """Execs with these hosts and control groups."""
    told = Names()
    for cgroup, path in {2: b"/system.slice/a.service", 3: b"/system.slice/a.service/payload", 4: b"/lxc/web"}.items():
        told.tell(cgroup, path)
    told.tell(2, b"/system.slice/b.service", host=1)
    return stream.batch(
        stream.rows(make("execsnoop", [{"host": host, "cgroup": cgroup} for host, cgroup in rows])), told
    )


def test_what_is_inside_a_unit_belongs_to_it() -> None:
    assert belonging([batch((0, 2), (0, 3)), batch((0, 3))]) == [(0, 3)]


def test_units_of_several_hosts_and_those_without_a_name_are_told_apart() -> None:
    assert belonging([batch((0, 2), (1, 2))]) == [(0, 2), (1, 2)]
    assert belonging([batch((0, 7), (0, 8))]) == [(0, 7), (0, 8)]


def test_events_without_a_control_group_belong_to_none() -> None:
    assert belonging([batch((0, 0)), batch()]) == []
