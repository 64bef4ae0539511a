"""A kernel like those before 5.2, as far as this one can be like them: without BTF, ring buffer and newer helpers."""

from __future__ import annotations

from ringtop.bpf.kernel.features import Kernel


def old_kernel() -> Kernel:
    """What the ladder and the loader are to believe."""
    kernel, gone = Kernel(), "it was taken away"
    vars(kernel).update(
        _types=(gone, gone, frozenset(), 0), no_ringbuf=gone, no_kprobes="", helpers={"HAS_CGROUP_ID": 1}
    )
    return kernel
