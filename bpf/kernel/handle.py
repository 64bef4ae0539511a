"""What a loader makes of a rung of the ladder: a program in the kernel, by its maps, functions and hooks."""

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

    def program_fds(self) -> list[int]:
        """File descriptors of its functions."""

    def attach(self, hook: Hook) -> None:
        """From now on the hook runs. Raises CannotLoad."""

    def detach(self, hook: Hook) -> None:
        """From now on the hook does not run; it may not be attached."""

    def close(self) -> None:
        """Take the program out of the kernel."""
