"""Attaches programs to the kernel's classic tracepoints, whichever loader loaded them."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ringtop.bpf.kernel import syscall
from ringtop.bpf.kernel.features import Kernel, online_cpus
from ringtop.bpf.kernel.handle import CannotLoad
from ringtop.bpf.kernel.ladder import Hook


class Tracepoints:
    """The tracepoints among *hooks*. Their numbers are read now: once root is given up, tracefs is closed to this
    process, and it can still attach and detach. Raises CannotLoad."""

    def __init__(self, hooks: Iterable[Hook], kernel: Kernel) -> None:
        self._attached: dict[Hook, int] = {}
        self._numbers: dict[Hook, int] = {}
        for hook in hooks:
            if hook.kind == "tracepoint":
                try:
                    self._numbers[hook] = kernel.tracepoint_number(hook.target)
                except OSError as e:
                    raise CannotLoad(f"the tracepoint {hook.target} cannot be read: {e.strerror}") from e

    def attach(self, hook: Hook, program_fd: int) -> None:
        """Attach a program. Raises CannotLoad."""
        try:
            self._attached[hook] = syscall.perf_attach(self._numbers[hook], online_cpus()[0], program_fd)
        except OSError as e:
            raise CannotLoad(str(e.strerror)) from e

    def detach(self, hook: Hook) -> None:
        """Detach the hook. It need not be attached."""
        if hook in self._attached:
            os.close(self._attached.pop(hook))

    def close(self) -> None:
        """Detach all."""
        for hook in list(self._attached):
            self.detach(hook)
