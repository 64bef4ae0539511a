"""How a program gets into the kernel."""

from __future__ import annotations

from typing import Literal, get_args

Loader = Literal["core", "bcc"]
"""``core``: an object compiled beforehand, fitted to the kernel by libbpf. ``bcc``: compiled where it runs."""
LOADERS: tuple[Loader, ...] = get_args(Loader)
"""The better one first."""
