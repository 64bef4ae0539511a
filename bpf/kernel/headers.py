"""The few files that bcc wants from a kernel tree, so that no kernel header package is ever needed.

The programs use no kernel struct from headers: tracepoint layouts come from tracefs, other offsets from BTF, and what
is ABI is declared here. bcc brings its own ``linux/bpf.h``.
"""

from __future__ import annotations

import mmap
import platform
import re
from pathlib import Path

_TYPES = """
#ifndef RINGTOP_TYPES_H
#define RINGTOP_TYPES_H
typedef signed char s8, __s8;
typedef unsigned char u8, __u8;
typedef short s16, __s16;
typedef unsigned short u16, __u16, __le16, __be16, __sum16;
typedef int s32, __s32, pid_t;
typedef unsigned int u32, __u32, __le32, __be32, __wsum;
typedef long long s64, __s64;
typedef unsigned long long u64, __u64, __le64, __be64;
typedef u64 __attribute__((aligned(8))) __aligned_u64;
typedef unsigned long size_t, uintptr_t;
typedef long ssize_t;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)
#define offsetof(type, member) __builtin_offsetof(type, member)
#define __always_inline inline __attribute__((always_inline))
#endif
"""

_PTRACE = {  # with the numbers of the system calls; arch/x86/include/asm/ptrace.h, arch/arm64/include/asm/ptrace.h
    "x86_64": """
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};
#define USER_SYSCALL orig_ax
#define NR_EXECVE 59
#define NR_EXECVEAT 322
""",
    "aarch64": """
struct pt_regs { unsigned long regs[31], sp, pc, pstate, orig_x0; int syscallno; };
#define USER_SYSCALL syscallno
#define NR_EXECVE 221
#define NR_EXECVEAT 281
""",
}

_CONFIG_ARCH = {"x86_64": "CONFIG_X86_64", "aarch64": "CONFIG_ARM64"}


def version_of(release: str) -> tuple[int, int, int]:
    """'6.1.0-13-amd64' as (6, 1, 0)."""
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", release)
    if not found:
        return (0, 0, 0)
    return (int(found[1]), int(found[2]), int(found[3] or 0))


def write_tree(directory: Path, release: str) -> None:
    """Write the tree for the kernel *release* under *directory*; bcc finds it through BCC_KERNEL_SOURCE."""
    machine = platform.machine()
    version = ", ".join(map(str, version_of(release)))
    files = {
        "linux/kconfig.h": "".join(
            f"#define {name} 1\n"
            for name in ("CONFIG_BPF_SYSCALL", "CONFIG_PERF_EVENTS", _CONFIG_ARCH.get(machine, "CONFIG_64BIT"))
        ),
        "linux/types.h": _TYPES,
        "linux/version.h": "#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + ((c) > 255 ? 255 : (c)))\n"
        f"#define LINUX_VERSION_CODE KERNEL_VERSION({version})\n",
        "linux/ptrace.h": "#ifndef RINGTOP_PTRACE_H\n#define RINGTOP_PTRACE_H\n"
        + _PTRACE.get(machine, "")
        + "#endif\n",
        "asm/page.h": f"#define PAGE_SIZE {mmap.PAGESIZE}\n",
    }
    files |= dict.fromkeys(("linux/log2.h", "linux/bpf_common.h"), "")
    files |= {f"uapi/linux/{name}.h": "" for name in ("bpf", "if_packet", "ptrace")}
    for name, text in files.items():
        path = directory / "include" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
