"""The interface of a reader, the same for both transports."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from ringtop.bpf.common.transports import Transport
from ringtop.bpf.transport.records import Drained


class Reader(Protocol):
    """The buffers of a transport, and the code that takes events out of them."""

    @property
    def transport(self) -> Transport:
        """The transport that it reads."""

    @property
    def size(self) -> int:
        """Bytes of the ring, or of each CPU's perf buffer."""

    @property
    def capacity(self) -> int:
        """Bytes of events that all buffers together hold."""

    @property
    def memory(self) -> int:
        """Bytes of memory that all buffers together take."""

    def open(self) -> None:
        """Create the buffers. Raises OSError."""

    def install(self, map_fd: int) -> None:
        """Put the buffers where the program looks for them, in the map *map_fd*. Raises OSError."""

    def uninstall(self, map_fd: int) -> None:
        """Remove the buffers from the map *map_fd*. Raises OSError."""

    def follow(self, online: list[int], map_fd: int, dead: Collection[int] = ()) -> None:
        """Give each CPU of *online* a buffer, and each of the *dead* a new one. Raises OSError."""

    def fds(self) -> list[int]:
        """File descriptors that are readable when the kernel wakes the reader."""

    def drain(self) -> Drained:
        """Take every record that was finished when the drain began."""

    def stats(self) -> int:
        """Bytes that wait now, on all CPUs."""

    def close(self) -> None:
        """Unmap and free the buffers."""
