"""The current step of a bench, on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ringtop.bpf.common import term


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Yield a function that shows the current step on a terminal, in one line that is erased at the end."""
    shown = sys.stderr.isatty() and not term.only_lines()

    def tell(what: str) -> None:
        if shown:
            print(f"\r\x1b[K{what} …", end="", file=sys.stderr, flush=True)

    try:
        yield tell
    finally:
        if shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
