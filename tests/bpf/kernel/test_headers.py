"""The kernel tree that bcc is given."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringtop.bpf.kernel.features import cpu_list
from ringtop.bpf.kernel.headers import version_of, write_tree

NUMBERS = st.integers(0, 400)


@given(NUMBERS, NUMBERS, NUMBERS, st.sampled_from(["", "-13-amd64", ".el9_4.x86_64", "-rc3+", "-azure"]))
def test_version(a: int, b: int, c: int, rest: str) -> None:
    assert version_of(f"{a}.{b}.{c}{rest}") == (a, b, c)
    assert version_of(f"{a}.{b}-rc1") == (a, b, 0)


def test_a_release_without_a_version() -> None:
    assert version_of("mainline") == (0, 0, 0)
    assert version_of("") == (0, 0, 0)


def version_code(text: str) -> int:
    """What the C preprocessor makes of LINUX_VERSION_CODE."""
    code = re.search(r"#define LINUX_VERSION_CODE KERNEL_VERSION\((\d+), (\d+), (\d+)\)", text)
    assert code
    assert "#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + ((c) > 255 ? 255 : (c)))\n" in text
    a, b, c = map(int, code.groups())
    return (a << 16) + (b << 8) + min(c, 255)


@pytest.mark.parametrize(
    ("release", "code"),
    [("6.1.0-13-amd64", 0x60100), ("5.15.167", 0x50FA7), ("4.19.325", 0x413FF), ("7.0-rc1", 0x70000)],
)
def test_tree(tmp_path: Path, release: str, code: int) -> None:
    write_tree(tmp_path, release)
    assert version_code((tmp_path / "include/linux/version.h").read_text()) == code
    # What bcc includes: src/cc/export/helpers.h and src/cc/frontends/clang/kbuild_helper.cc of bcc.
    for name in ("linux/kconfig.h", "linux/types.h", "linux/version.h", "linux/log2.h", "linux/ptrace.h", "asm/page.h"):
        assert (tmp_path / "include" / name).is_file()
    for name in ("bpf", "if_packet", "ptrace"):
        assert (tmp_path / f"include/uapi/linux/{name}.h").read_text() == ""
    for path in (tmp_path / "include").rglob("*.h"):
        text = path.read_text()
        assert text.count("{") == text.count("}")
        assert len(re.findall(r"^#if", text, re.MULTILINE)) == len(re.findall(r"^#endif", text, re.MULTILINE))
    before = {p: p.read_bytes() for p in tmp_path.rglob("*.h")}
    write_tree(tmp_path, release)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*.h")} == before


@given(st.sets(st.integers(0, 600), max_size=60))
@example(set())
@example({0})
def test_cpu_list(cpus: set[int]) -> None:
    """As the kernel's bitmap_print_to_pagebuf writes it."""
    ranges: list[list[int]] = []
    for cpu in sorted(cpus):
        if ranges and ranges[-1][-1] == cpu - 1:
            ranges[-1].append(cpu)
        else:
            ranges.append([cpu])
    text = ",".join(f"{r[0]}-{r[-1]}" if len(r) > 1 else str(r[0]) for r in ranges)
    assert cpu_list(text + "\n") == sorted(cpus)


def test_pages_are_as_large_as_this_machines(tmp_path: Path) -> None:
    write_tree(tmp_path, "6.1.0")
    (page,) = tmp_path.rglob("page.h")
    assert page.read_text() == f"#define PAGE_SIZE {mmap.PAGESIZE}\n"
