"""What the keys for a change while events flow ask of the collector. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ringtop.bpf.common.sizes import LARGEST, PAGE, human
from ringtop.bpf.options.kinds import Seconds
from ringtop.bpf.stream import Control, Retune, SetCapture, State

WAKEUPS = ("timer", "adaptive", "every", "batch:64")
SECONDS = 10
"""Usual length of a comparison."""


class Tuned(Protocol):
    """How a program is set: a ``State``, or what it is to become."""

    @property
    def program(self) -> str:
        """The program."""

    @property
    def buffer_bytes(self) -> int | None:
        """As in ``State``; None while nobody knows."""

    @property
    def wakeup(self) -> str:
        """Wake-up mode."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a program is set once the collector has done all that it was asked for."""

    program: str
    buffer_bytes: int | None
    """None after a change of the transport, whose size only the collector knows."""
    wakeup: str


def retune(what: str, now: Tuned, no_ringbuf: str) -> Retune:
    """``transport``, ``larger``, ``smaller`` or ``wakeup`` for a program that is set as *now*. *no_ringbuf*: why there
    is no ring buffer, if so. Raises ValueError that says why it cannot be."""
    programs = [now.program]
    if what == "transport":
        if no_ringbuf:
            raise ValueError(f"{no_ringbuf}: the perf buffers stay in use")
        return Retune(transport="other", programs=programs)
    if what == "wakeup":
        at = WAKEUPS.index(now.wakeup) if now.wakeup in WAKEUPS else -1
        return Retune(wakeup=WAKEUPS[(at + 1) % len(WAKEUPS)], programs=programs)
    if now.buffer_bytes is None:
        raise ValueError("the transport is being changed: its size is not known yet")
    if what == "larger" and now.buffer_bytes >= LARGEST:
        raise ValueError(f"no buffer is larger than {human(LARGEST)}")
    if what == "smaller" and now.buffer_bytes <= PAGE:
        raise ValueError(f"no buffer is smaller than a page, {human(PAGE)}")
    size = now.buffer_bytes * 2 if what == "larger" else now.buffer_bytes // 2
    return Retune(buffer_bytes=size, programs=programs)


def check_comparable(comparing: bool, no_ringbuf: str) -> None:
    """Raises ValueError that says why the transports cannot be compared now, if so."""
    if no_ringbuf:
        raise ValueError(f"{no_ringbuf}: there is nothing to compare the perf buffers with")
    if comparing:
        raise ValueError("the transports are being compared already")


def granted(now: Tuned, asked: Retune) -> Wanted:
    """How a program that is set as *now* will be set once it is as *asked*."""
    size = None if asked.transport else asked.buffer_bytes or now.buffer_bytes
    return Wanted(now.program, size, asked.wakeup or now.wakeup)


def same(a: Tuned, b: Tuned) -> bool:
    """They have the same buffer and wake-up mode."""
    return (a.buffer_bytes, a.wakeup) == (b.buffer_bytes, b.wakeup)


def again(old: State, new: State) -> list[Control]:
    """What a collector in state *new* is to be told so that it does as an earlier one did in state *old*."""
    change = Retune(
        transport=old.transport if old.transport != new.transport else "",
        buffer_bytes=old.buffer_bytes if (old.transport, old.buffer_bytes) != (new.transport, new.buffer_bytes) else 0,
        wakeup=old.wakeup if old.wakeup != new.wakeup else "",
        programs=[new.program],
    )
    changes: list[Control] = [change] if change != Retune(programs=[new.program]) else []
    return [*changes, SetCapture(old.capture, [new.program])] if old.capture != new.capture else changes


def seconds(text: str) -> float:
    """'10', '2.5s'; the usual when nothing was said. Raises ValueError."""
    return Seconds().read(text) if text.strip() else SECONDS
