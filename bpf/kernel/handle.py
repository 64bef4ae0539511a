"""A handle is what a loader makes of a rung of the ladder: a program in the kernel, with its maps, functions and
hooks."""

from __future__ import annotations

from typing import Protocol

from ringtop.bpf.kernel.ladder import Hook


class CannotLoad(Exception):
    """A loader, libbpf or the kernel refused; the text says why."""


class NoLoader(CannotLoad):
    """The loader cannot load anything here; the text says why."""

    def __init__(self, why: str, cure: str = "") -> None:
        super().__init__(why)
        self.cure = cure


class Handle(Protocol):
    """A program in the kernel."""

    def map_fd(self, name: str) -> int:
        """File descriptor of one of its maps."""

    def program_fds(self) -> dict[str, int]:
        """File descriptors of its functions, by name."""

    def attach(self, hook: Hook) -> None:
        """Attach the hook: from now on it runs. Raises CannotLoad."""

    def detach(self, hook: Hook) -> None:
        """Detach the hook: from now on it does not run. It need not be attached."""

    def close(self) -> None:
        """Take the program out of the kernel."""
