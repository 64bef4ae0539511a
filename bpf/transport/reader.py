"""The reader of a transport, whichever transport it is."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from ringtop.bpf.common.transports import Transport
from ringtop.bpf.transport.records import Drained


class Reader(Protocol):
    """The buffers of a transport, and what takes events out of them."""

    @property
    def transport(self) -> Transport:
        """Which one it is."""

    @property
    def size(self) -> int:
        """Bytes: of the ring, or of each CPU's perf buffer."""

    @property
    def capacity(self) -> int:
        """Bytes of events that all its buffers hold."""

    @property
    def memory(self) -> int:
        """Bytes that all its buffers take."""

    def open(self) -> None:
        """Create the buffers. Raises OSError."""

    def install(self, map_fd: int) -> None:
        """Put them where the program looks, in the map *map_fd*. Raises OSError."""

    def uninstall(self, map_fd: int) -> None:
        """Take them away again. Raises OSError."""

    def follow(self, online: list[int], map_fd: int, dead: Collection[int] = ()) -> None:
        """Have a buffer for each CPU of *online*, and new ones for the *dead*. Raises OSError."""

    def fds(self) -> list[int]:
        """File descriptors that are readable when the kernel wakes the reader."""

    def drain(self) -> Drained:
        """Everything that was finished when it began."""

    def stats(self) -> int:
        """Bytes that wait now, on all CPUs."""

    def close(self) -> None:
        """Unmap and free the buffers."""
