"""The loaders, which bring a program into the kernel."""

from __future__ import annotations

from typing import Literal, get_args

Loader = Literal["core", "bcc"]
"""``core`` loads an object compiled beforehand, which libbpf adapts to the kernel. ``bcc`` compiles where it runs."""
LOADERS: tuple[Loader, ...] = get_args(Loader)
"""All loaders, the better one first."""
