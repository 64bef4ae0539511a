"""Several calls at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable


def side_by_side(calls: Iterable[Callable[[], object]]) -> None:
    """Make each of *calls* in a thread of its own, begun in their order, and return when all have returned. Raises the
    first of their exceptions."""
    errors: list[Exception] = []

    def make(call: Callable[[], object]) -> None:
        try:
            call()
        except Exception as e:
            errors.append(e)

    threads = [threading.Thread(target=make, args=(call,), daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
