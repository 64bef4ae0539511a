"""Which control group is meant, in folders that look like a hierarchy of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ringtop.bpf.collector import wanted
from ringtop.bpf.collector.containers import Containers
from ringtop.bpf.collector.wanted import Finder
from ringtop.bpf.common.errors import CannotTrace

ID, OTHER = "0123456789abcdef" * 4, "0124" * 16
PATHS = (
    "system.slice/nginx.service/payload",
    f"system.slice/docker-{ID}.scope/system.slice/nginx.service",
    f"system.slice/docker-{OTHER}.scope",
    "user.slice/user-1000.slice/user@1000.service/app.slice/nginx.service",
    "user.slice/user-1000.slice/user@1000.service/app.slice/own.service",
    "user.slice/user-1001.slice/user@1001.service/app.slice/own.service",
    "system.slice/disk-by\\x2duuid.mount",
    "lxc.payload.web/init.scope",
)


@pytest.fixture
def find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Finder:
    for path in PATHS:
        (tmp_path / "groups" / path).mkdir(parents=True)
    docker = tmp_path / "root" / "var/lib/docker/containers" / ID
    docker.mkdir(parents=True)
    (docker / "config.v2.json").write_text(json.dumps({"Name": "/shop"}))
    podman = tmp_path / "root" / "var/lib/containers/storage/overlay-containers"
    podman.mkdir(parents=True)
    (podman / "containers.json").write_text(json.dumps([{"id": OTHER, "names": ["till"]}, 7, {"names": 1}]))
    containers = Containers(tmp_path / "root")
    containers.read()
    (tmp_path / "self" / "ns").mkdir(parents=True)
    (tmp_path / "self" / "ns" / "cgroup").touch()
    monkeypatch.setattr(wanted, "_HERE", (tmp_path / "self" / "ns" / "cgroup").stat().st_ino)
    return Finder(tmp_path / "groups", containers, tmp_path)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("nginx", "/system.slice/nginx.service"),
        ("nginx.service", "/system.slice/nginx.service"),
        ("disk-by-uuid.mount", "/system.slice/disk-by\\x2duuid.mount"),
        ("disk-by\\x2duuid.mount", "/system.slice/disk-by\\x2duuid.mount"),
        ("user-1000.slice", "/user.slice/user-1000.slice"),
    ],
)
def test_units(find: Finder, tmp_path: Path, name: str, path: str) -> None:
    found = find.unit(name)
    assert found.path.decode() == path
    assert found.cgroup == (tmp_path / "groups" / path[1:]).stat().st_ino


@pytest.mark.parametrize(
    ("name", "container"),
    [("shop", ID), ("till", OTHER), (ID, ID), (ID[:12], ID), ("0124", OTHER), ("web", "lxc.payload.web")],
)
def test_containers(find: Finder, name: str, container: str) -> None:
    assert container in find.container(name).path.decode().rpartition("/")[2]


@pytest.mark.parametrize(
    ("path", "whole", "name"),
    [
        (PATHS[0], "/system.slice/nginx.service", "unit nginx.service"),
        (PATHS[1], f"/system.slice/docker-{ID}.scope", "container shop"),
        (PATHS[7], "/lxc.payload.web", "container web"),
        ("user.slice", "/user.slice", "unit user.slice"),
    ],
)
def test_of_a_row_the_whole_unit_or_container(find: Finder, tmp_path: Path, path: str, whole: str, name: str) -> None:
    found = find.group((tmp_path / "groups" / path).stat().st_ino)
    assert (found.path.decode(), found.name) == (whole, name)


def test_what_is_not_there_is_told_with_what_is_near(find: Finder) -> None:
    why = r"unit ngimx\.service cannot be followed: no control group below .* belongs to it; there is nginx\.service"
    with pytest.raises(CannotTrace, match=why):
        find.unit("ngimx")
    with pytest.raises(CannotTrace, match="there is shop"):
        find.container("shap")
    with pytest.raises(CannotTrace, match=r"several are called so: /.*/.*own\.service, /"):
        find.unit("own")
    with pytest.raises(CannotTrace, match="several"):
        find.container("012")
    with pytest.raises(CannotTrace, match="none with this id"):
        find.group(1 << 60)


def test_where_groups_cannot_be_seen(find: Finder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CannotTrace, match="no hierarchy"):
        Finder(None, Containers(), tmp_path).unit("x")
    monkeypatch.setattr(wanted, "_HERE", 7)
    with pytest.raises(CannotTrace, match="own view"):
        find.unit("nginx")


def test_of_the_kubelet_everybody_may_read_the_names(tmp_path: Path) -> None:
    links = tmp_path / "var/log/containers"
    links.mkdir(parents=True)
    (links / f"web-7d4b-x2x_shop_nginx-{ID}.log").symlink_to("/nowhere")
    containers = Containers(tmp_path)
    containers.read()
    assert containers.name(ID) == "nginx.web-7d4b-x2x"


def test_files_that_are_no_such_files_tell_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "var/lib/docker/containers" / ID
    folder.mkdir(parents=True)
    (folder / "config.v2.json").write_text("[" * 100_000)
    containers = Containers(tmp_path)
    containers.read()
    assert containers.name(ID) == ""
