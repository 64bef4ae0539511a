"""Requests to the collector for a change while events flow, made from keys. Pure functions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from ringtop.bpf.common.sizes import LARGEST, PAGE, human
from ringtop.bpf.options.kinds import Seconds
from ringtop.bpf.stream import Control, Follow, Retune, SetCapture, State
from ringtop.tui.model.losses import NOT_KEPT
from ringtop.tui.text import format

WAKEUPS = ("timer", "adaptive", "every", "batch:64")
LESS = "press c: capture less"
"""The cure where no buffer can be larger, and where the viewer is slower than the events."""
SECONDS = 10
"""The usual length of a comparison, in seconds."""


class Tuned(Protocol):
    """The setting of a program: a ``State``, or one that was requested (``Wanted``)."""

    @property
    def program(self) -> str:
        """The program."""

    @property
    def buffer_bytes(self) -> int | None:
        """As in ``State``; None while it is unknown."""

    @property
    def wakeup(self) -> str:
        """Wakeup mode."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The setting of a program once the collector has carried out all pending requests."""

    program: str
    buffer_bytes: int | None
    """None after a change of the transport: only the collector knows the new buffer's size."""
    wakeup: str


def retune(what: str, now: Tuned, no_ringbuf: str) -> Retune:
    """The request for *what* (``transport``, ``larger``, ``smaller`` or ``wakeup``) from the setting *now*.

    *no_ringbuf* says why there is no ring buffer; empty when there is one. Raises ValueError with the reason when the
    change is impossible.
    """
    programs = [now.program]
    if what == "transport":
        if no_ringbuf:
            raise ValueError(f"{no_ringbuf}: the perf buffers stay in use")
        return Retune(transport="other", programs=programs)
    if what == "wakeup":
        at = WAKEUPS.index(now.wakeup) if now.wakeup in WAKEUPS else -1
        return Retune(wakeup=WAKEUPS[(at + 1) % len(WAKEUPS)], programs=programs)
    if now.buffer_bytes is None:
        raise ValueError("the transport is being switched: its buffer size is not known yet")
    if what == "larger" and now.buffer_bytes >= LARGEST:
        raise ValueError(f"no buffer is larger than {human(LARGEST)}")
    if what == "smaller" and now.buffer_bytes <= PAGE:
        raise ValueError(f"no buffer is smaller than a page, {human(PAGE)}")
    size = now.buffer_bytes * 2 if what == "larger" else now.buffer_bytes // 2
    return Retune(buffer_bytes=size, programs=programs)


def cure(now: Tuned, reasons: Collection[str], held: bool) -> str:
    """The key that helps a program set as *now*, which is losing events for *reasons*; empty when no key does.

    *held*: rows on the screen are held, so that the viewer has no room for new ones.
    """
    if "full" in reasons:
        if now.buffer_bytes is None:
            return ""
        return f"press +: {format.size(now.buffer_bytes * 2)}" if now.buffer_bytes < LARGEST else LESS
    if NOT_KEPT in reasons:
        return "press F: held rows fill the history" if held else LESS
    return ""


def check_comparable(comparing: bool, no_ringbuf: str) -> None:
    """Raises ValueError with the reason when the transports cannot be compared now."""
    if no_ringbuf:
        raise ValueError(f"{no_ringbuf}: there is nothing to compare the perf buffers with")
    if comparing:
        raise ValueError("the transports are being compared already")


def granted(now: Tuned, asked: Retune) -> Wanted:
    """The setting of a program that is set as *now* once the request *asked* is carried out."""
    size = None if asked.transport else asked.buffer_bytes or now.buffer_bytes
    return Wanted(now.program, size, asked.wakeup or now.wakeup)


def same(a: Tuned, b: Tuned) -> bool:
    """Whether both have the same buffer size and wakeup mode."""
    return (a.buffer_bytes, a.wakeup) == (b.buffer_bytes, b.wakeup)


def again(old: State, new: State) -> list[Control]:
    """The controls that bring a collector in state *new* to the setting of an earlier one in state *old*."""
    change = Retune(
        transport=old.transport if old.transport != new.transport else "",
        buffer_bytes=old.buffer_bytes if (old.transport, old.buffer_bytes) != (new.transport, new.buffer_bytes) else 0,
        wakeup=old.wakeup if old.wakeup != new.wakeup else "",
        programs=[new.program],
    )
    changes: list[Control] = [change] if change != Retune(programs=[new.program]) else []
    if old.capture != new.capture:
        changes.append(SetCapture(old.capture, [new.program]))
    # A unit that was restarted has another id, and may be followed already.
    if old.follows != new.follows or (old.cgroup != new.cgroup and old.scope != new.scope):
        changes.append(Follow(old.follows, old.cgroup))
    return changes


def seconds(text: str) -> float:
    """Read a length such as '10' or '2.5s', in seconds; ``SECONDS`` when *text* is blank. Raises ValueError."""
    return Seconds().read(text) if text.strip() else SECONDS
