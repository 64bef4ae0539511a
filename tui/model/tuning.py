"""What the keys for a change while events flow ask of the collector. Pure functions."""

from __future__ import annotations

import msgspec

from ringtop.bpf.common.sizes import LARGEST, PAGE
from ringtop.bpf.options.kinds import Seconds
from ringtop.bpf.stream import Control, Retune, SetCapture, State

WAKEUPS = ("timer", "adaptive", "every", "batch:64")
SECONDS = 10
"""Usual length of a comparison."""


def retune(what: str, state: State) -> Retune | None:
    """``transport``, ``larger``, ``smaller`` or ``wakeup`` for a program in *state*; None where that cannot be."""
    programs = [state.program]
    if what == "transport":
        return Retune(transport="other", programs=programs)
    if what == "wakeup":
        at = WAKEUPS.index(state.wakeup) if state.wakeup in WAKEUPS else -1
        return Retune(wakeup=WAKEUPS[(at + 1) % len(WAKEUPS)], programs=programs)
    size = state.buffer_bytes * 2 if what == "larger" else state.buffer_bytes // 2
    return Retune(buffer_bytes=size, programs=programs) if PAGE <= size <= LARGEST else None


def granted(state: State, asked: Retune) -> State:
    """*state*, once it is as *asked*; of another transport the collector alone knows the size: 0 until it tells."""
    size = 0 if asked.transport else asked.buffer_bytes or state.buffer_bytes
    changes = {"buffer_bytes": size, "wakeup": asked.wakeup or state.wakeup}
    return msgspec.structs.replace(state, **changes)


def same(a: State, b: State) -> bool:
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
