"""Units and containers by the paths of control groups, in the forms of each runtime."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringtop.bpf.event.cgroup import Membership, membership, parse

ID = "0123456789abcdef" * 4
UID = "11111111-2222-3333-4444-555555555555"
CGROUPS = {
    "service": ("0::/system.slice/nginx.service", "nginx.service", "", "", ""),
    "of a user": (
        "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-x\\x2dterm.scope",
        "app-x-term.scope",
        "",
        "",
        "",
    ),
    "slice only": ("0::/system.slice", "system.slice", "", "", ""),
    "below a service": ("0::/system.slice/a.service/payload", "a.service", "", "", ""),
    "docker, systemd": (f"0::/system.slice/docker-{ID}.scope", f"docker-{ID}.scope", "docker", ID, ""),
    "docker, plain": (f"0::/docker/{ID}", "", "docker", ID, ""),
    "podman": (
        f"0::/machine.slice/libpod-{ID}.scope/container",
        f"libpod-{ID}.scope",
        "podman",
        ID,
        "",
    ),
    "kubernetes, containerd": (
        f"0::/kubepods.slice/kubepods-pod{UID.replace('-', '_')}.slice/cri-containerd-{ID}.scope",
        f"cri-containerd-{ID}.scope",
        "containerd",
        ID,
        UID,
    ),
    "kubernetes, cri-o": (
        f"0::/kubepods.slice/kubepods-burstable-pod{UID.replace('-', '_')}.slice/crio-{ID}.scope",
        f"crio-{ID}.scope",
        "cri-o",
        ID,
        UID,
    ),
    "kubernetes, cgroupfs": (f"0::/kubepods/burstable/pod{UID}/{ID}", "", "container", ID, UID),
    "containerd, cri": (f"0::/system.slice/containerd.service/kubepods-pod{UID}.slice:cri-containerd:{ID}",
                        "containerd.service", "containerd", ID, UID),
    "lxc": ("0::/lxc.payload.web/init.scope", "init.scope", "lxc", "web", ""),
    "lxc, old": ("0::/lxc/web", "", "lxc", "web", ""),
    "nspawn": (
        "0::/machine.slice/machine-deb\\x2d12.scope/payload",
        "machine-deb-12.scope",
        "nspawn",
        "deb-12",
        "",
    ),
    "podman's monitor": (f"0::/machine.slice/libpod-conmon-{ID}.scope", f"libpod-conmon-{ID}.scope", "", "", ""),
    "a name that the kernel might use": ("0::/system.slice/_cpu.service", "cpu.service", "", "", ""),
    "escaped bytes": ("0::/a.slice/caf\\xc3\\xa9.service", "caf\u00e9.service", "", "", ""),
    "a container's own systemd": (
        f"0::/system.slice/docker-{ID}.scope/system.slice/nginx.service",
        "nginx.service",
        "docker",
        ID,
        "",
    ),
    "root": ("0::/", "", "", "", ""),
    "nothing": ("", "", "", "", ""),
}  # fmt: skip


@pytest.mark.parametrize(("text", "unit", "runtime", "container", "pod"), CGROUPS.values(), ids=CGROUPS)
def test_control_groups(text: str, unit: str, runtime: str, container: str, pod: str) -> None:
    found = parse(text + "\n")
    assert (found.unit, found.runtime, found.container, found.pod) == (unit, runtime, container, pod)
    assert found.path == text.removeprefix("0::")


def test_a_name_of_a_control_group_is_one_line() -> None:
    forged = parse("0::/user.slice/x\x0b0::/system.slice/sshd.service\x85\u2028/y\n")
    assert forged.path.startswith("/user.slice/x")


def test_old_control_groups() -> None:
    text = f"12:cpu,cpuacct:/docker/{ID}\n1:name=systemd:/docker/{ID}\n0::/\n"
    assert parse(text) == Membership(f"/docker/{ID}", "", "docker", ID, "")
    assert parse("3:cpu:/a\n2:memory:/a/b.service\n").unit == "b.service"
    assert parse("1:name=systemd:/system.slice/x.service\n0::/system.slice/y.service\n").unit == "y.service"


@given(st.text(alphabet=st.sampled_from("01:/=.-_abcdefs\\x2\n \x1bé"), max_size=200))
def test_any_text_is_a_membership(text: str) -> None:
    parse(text)


@pytest.mark.parametrize(
    ("path", "short"),
    [(f"/docker/{ID}", ID[:12]), ("/lxc.payload.a-container-with-a-name", "a-container-with-a-name"), ("/", "")],
)
def test_a_container_in_short(path: str, short: str) -> None:
    assert membership(path).short == short
