"""Sorts rows by a column. The values are copied first, so that the sort itself can run outside the event loop."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ringtop.tui.model.ring import Ring

TEXT_PREFIX = 32
"""Only this many bytes of a path or argument list are compared."""


def order(ring: Ring, numbers: NDArray[np.int64], field: str, descending: bool) -> Callable[[], NDArray[np.int64]]:
    """A function that returns *numbers* sorted by *field*, ties newest first; it may run in any thread."""
    values = _values(ring, numbers, field)

    def work() -> NDArray[np.int64]:
        if not descending:
            # Newest first among equals: stable over the rows in reverse.
            return numbers[::-1][np.argsort(values[::-1], kind="stable")]
        return numbers[np.argsort(values, kind="stable")][::-1]

    return work


def _values(ring: Ring, numbers: NDArray[np.int64], name: str) -> NDArray[np.generic]:
    field = ring.schema[name]
    if field.kind == "name":
        return np.array(ring.take(numbers).text(name), f"S{TEXT_PREFIX}")
    return ring.prefix(numbers, name, TEXT_PREFIX) if field.tail else ring.values(field.part, numbers)
