"""Names of numbers in rows: told once, known by all batches of the stream, and bounded."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf import filter as language
from ringtop.bpf import stream
from ringtop.bpf.event import names
from ringtop.bpf.event.batch import Batch, concat
from ringtop.bpf.event.names import Names
from tests.samples import make

ID = "0123456789abcdef" * 4
NGINX, WEB, PLAIN = 23, 29, 31 << 32
PATHS = {NGINX: b"/system.slice/nginx.service", WEB: f"/docker/{ID}".encode(), PLAIN: b"/plain"}


def batch(*cgroups: int, host: int = 0) -> Batch:
    """Execs in these control groups, of a stream that has told their names."""
    told = Names()
    stream.learn(stream.Cgroups([(n, path, b"web" if n == WEB else b"") for n, path in PATHS.items()]), told)
    rows = make("execsnoop", [{"cgroup": n, "host": host, "filename": b"/bin/a%d" % n} for n in cgroups])
    return stream.batch(stream.rows(rows), told)


def test_a_row_has_the_names_of_its_control_group() -> None:
    found = batch(WEB, NGINX, 7, 0, PLAIN, NGINX)
    assert found.text("unit") == [b"", b"nginx.service", b"", b"", b"", b"nginx.service"]
    assert found.text("container") == [b"web", b"", b"", b"", b"", b""]
    assert found.text("cgroup_path")[4] == b"/plain"


def test_a_container_without_a_name_has_its_short_id() -> None:
    told = Names()
    told.tell(WEB, PATHS[WEB])
    told.tell(NGINX, PATHS[NGINX], b"no container")
    assert told.group(WEB).container == ID[:12].encode()
    assert told.group(NGINX).container == b""


def test_rows_keep_their_names_whatever_is_done_with_them() -> None:
    found = batch(WEB, NGINX, PLAIN)
    there = [found.take(np.array([1])), found.take(slice(1, 2)).copy(), found.take(slice(1, 2)).compact()]
    there.append(concat("execsnoop", [found.take(slice(0)), found.take(slice(1, 2))]))
    there.append(concat("execsnoop", [found.take(slice(1)), found.take(slice(1, 2))]).take(slice(1, 2)))
    assert [one.text("unit") for one in there] == [[b"nginx.service"]] * 5


def test_the_same_number_on_another_host_is_another_group() -> None:
    found = batch(NGINX, host=1)
    assert found.text("unit") == [b""]
    found.names.tell(NGINX, b"/system.slice/cron.service", host=1)
    assert found.text("unit") == [b"cron.service"]
    both = concat("execsnoop", [batch(NGINX), found])
    both.names.tell(NGINX, b"/system.slice/cron.service", host=1)
    assert both.text("unit") == [b"nginx.service", b"cron.service"]


def test_filters_know_them() -> None:
    found = batch(WEB, NGINX, 7, NGINX)

    def matching(text: str) -> list[int]:
        return np.flatnonzero(language.match(language.parse(text), found)).tolist()

    assert matching("unit=nginx.service") == [1, 3]
    assert matching("unit!=nginx.service") == [0, 2]
    assert matching('unit~"^nginx" and filename~"23$"') == [1, 3]
    assert matching("container=web or unit~ngi") == [0, 1, 3]
    assert matching("not container~.") == [1, 2, 3]
    assert matching("cgroup_path~^/docker/") == [0]


@given(st.dictionaries(st.integers(0, (1 << 64) - 1), st.binary(max_size=80).map(lambda b: b"/" + b), max_size=20))
def test_what_was_told_can_be_told_again(paths: dict[int, bytes]) -> None:
    told, again = Names(), Names()
    for cgroup, path in paths.items():
        told.tell(cgroup, path)
    for message in stream.cgroups(told):
        stream.learn(stream.decode(stream.encode(message)[4:]), again)  # type: ignore[arg-type]
    assert again.told() == told.told()
    assert [group.cgroup_path for group in again.told()] == list(paths.values())


def test_only_so_many_are_kept_and_none_is_long() -> None:
    told = Names()
    for cgroup in range(names.MOST + 23):
        told.tell(cgroup, b"/" + b"x" * 5000, b"y" * 5000)
    kept = told.told()
    assert [group.cgroup for group in kept] == list(range(23, names.MOST + 23))
    assert all(len(group.cgroup_path) == len(group.named) == names.LONGEST for group in kept)
    assert sum(map(len, stream.cgroups(told).__next__().groups[0][1:])) == 2 * names.LONGEST


def test_hosts_have_the_names_that_were_told_for_their_numbers() -> None:
    found = batch(NGINX, host=2)
    found.names.hosts |= {1: b"web1", 2: b"web2"}
    both = concat("execsnoop", [batch(NGINX), found, batch(WEB, host=1)])
    both.names.hosts |= found.names.hosts
    assert both.text("host") == [b"", b"web2", b"web1"]
    assert language.match(language.parse("host=web2"), both).tolist() == [False, True, False]
