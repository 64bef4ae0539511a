"""What is tried on a kernel, each within a time limit, and what came of it."""

from __future__ import annotations

import platform
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from ringtop.bpf.common.errors import CANNOT_TRACE
from tests.kernel.tracing import NotTracing

LIMIT_S = 1200
"""For one trial: an emulated machine that shares its CPUs takes minutes to compile three programs."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One line of a table."""

    table: str
    what: dict[str, str]
    """By column."""
    result: str
    ok: bool
    kernel: str = field(default_factory=platform.release)


@contextmanager
def _limited() -> Iterator[None]:
    def late(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"not done after {LIMIT_S} s")

    signal.signal(signal.SIGALRM, late)
    signal.alarm(LIMIT_S)
    try:
        yield
    finally:
        signal.alarm(0)


def until(happened: Callable[[], bool]) -> None:
    """Wait for it; the time limit ends it otherwise."""
    while not happened():
        time.sleep(0.1)


def tried(table: str, what: dict[str, str], attempt: Callable[[], str]) -> Trial:
    """What came of *attempt*: it returns what it saw, or raises AssertionError where that is wrong."""
    try:
        with _limited():
            return Trial(table, what, attempt(), True)
    except NotTracing as e:
        result = f"{'refused' if e.outcome.status == CANNOT_TRACE else 'failed'}: {_said(e.outcome.err)}"
    except AssertionError as e:
        result = f"wrong: {e}"
    except TimeoutError as e:
        result = str(e)
    except Exception as e:  # the next one is tried all the same
        result = f"failed: {e!r}"
    return Trial(table, what, result, False)


def _said(err: str) -> str:
    """What ringtop said, without its cure."""
    return err.partition(" cannot run here: ")[2].partition("\n")[0] or err
