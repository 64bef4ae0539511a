"""The few files that bcc expects of a kernel tree, so that no kernel header package is ever needed.

The programs use no kernel struct from headers: tracepoint layouts come from tracefs, other offsets from BTF, and the
structs that are ABI are declared here. bcc brings its own ``linux/bpf.h``.
"""

from __future__ import annotations

import mmap
import platform
import re
from pathlib import Path

from ringtop.bpf.kernel.source import HOME

_OURS = HOME / "include"

_CONFIG_ARCH = {"x86_64": "CONFIG_X86_64", "aarch64": "CONFIG_ARM64"}


def version_of(release: str) -> tuple[int, int, int]:
    """The version of a release: '6.1.0-13-amd64' gives (6, 1, 0)."""
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", release)
    if not found:
        return (0, 0, 0)
    return (int(found[1]), int(found[2]), int(found[3] or 0))


def write_tree(directory: Path, release: str) -> None:
    """Write the tree for the kernel *release* under *directory*; bcc finds it through BCC_KERNEL_SOURCE."""
    machine = platform.machine()
    ptrace = _OURS / f"arch/{machine}.h"
    version = ", ".join(map(str, version_of(release)))
    files = {
        "linux/kconfig.h": "".join(
            f"#define {name} 1\n"
            for name in ("CONFIG_BPF_SYSCALL", "CONFIG_PERF_EVENTS", _CONFIG_ARCH.get(machine, "CONFIG_64BIT"))
        ),
        "linux/types.h": (_OURS / "types.h").read_text(),
        "linux/version.h": "#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + ((c) > 255 ? 255 : (c)))\n"
        f"#define LINUX_VERSION_CODE KERNEL_VERSION({version})\n",
        "linux/ptrace.h": ptrace.read_text() if ptrace.exists() else "",
        "asm/page.h": f"#define PAGE_SIZE {mmap.PAGESIZE}\n",
    }
    files |= dict.fromkeys(("linux/log2.h", "linux/bpf_common.h"), "")
    files |= {f"uapi/linux/{name}.h": "" for name in ("bpf", "if_packet", "ptrace")}
    for name, text in files.items():
        path = directory / "include" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
