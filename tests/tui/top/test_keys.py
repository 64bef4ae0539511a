"""The keys to fold by, and the steps between them."""

from __future__ import annotations

import pytest

from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.top.keys import coarser, finer, first_key, following, keys, named
from ringtop.tui.top.measures import ALL

TABLES = (*SCHEMAS, ALL)


@pytest.mark.parametrize("table", TABLES)
def test_the_following_keys_are_all_of_them_and_then_the_first_again(table: str) -> None:
    key = first = first_key(table)
    seen = []
    for _ in keys(table):
        key = following(table, key)
        seen.append(key.name)
    assert sorted(seen) == sorted(one.name for one in keys(table))
    assert key == first


@pytest.mark.parametrize("table", TABLES)
def test_one_host_alone_is_not_folded_by_hosts(table: str) -> None:
    key, seen = first_key(table), set()
    while key.name not in seen:
        seen.add(key.name)
        key = following(table, key, hosts=False)
    assert seen == {one.name for one in keys(table) if "host" not in one.name}


@pytest.mark.parametrize("table", TABLES)
def test_the_coarser_key_of_a_finer_one_is_the_key_it_was_before(table: str) -> None:
    for key in keys(table):
        if (fine := finer(table, key)) is not None:
            assert coarser(table, fine) == key


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ("execsnoop", ["program", "subcommand", "command", "argv"]),
        ("runqslower", ["comm", "comm+because"]),
        ("runqslower", ["unit", "pid", "tid"]),
        ("unlinksnoop", ["comm", "comm+dir", "comm+dir+name"]),
        ("unlinksnoop", ["dir1", "dir2", "dir3"]),
        ("execsnoop", ["exe"]),
        ("execsnoop", ["error"]),
        (ALL, ["uid"]),
    ],
)
def test_finer_keys_end_with_one_that_no_other_refines(table: str, names: list[str]) -> None:
    key, found = named(table, names[0]), []
    assert coarser(table, key) is None
    while key is not None:
        found.append(key.name)
        key = finer(table, key)
    assert found == names
