"""The log of losses as lines of safe text. Pure functions."""

from __future__ import annotations

from ringtop.bpf.common import sizes
from ringtop.tui.draw.cells import Clock
from ringtop.tui.model.losses import Loss, Losses
from ringtop.tui.text import format
from ringtop.tui.text.text import safe

NONE = "No event was lost."
TITLES = f"{'TIME':<8} {'FOR':>5}  {'PROGRAM':<11} {'CPU':>3} {'LOST':>9}  {'WHY':<11}  SET THEN"


def summary(losses: Losses) -> str:
    """How many were lost, and how many of them in entries that are no longer kept."""
    if not losses.events:
        return NONE
    said = f"{format.count(losses.events)} lost. The newest are first; times are to the second."
    if losses.gone:
        said += (
            f" The oldest {format.count(losses.gone)} entries, {format.count(losses.gone_events)} lost, are not kept."
        )
    return said


def line(loss: Loss, clock: Clock) -> str:
    """One entry, in the columns of TITLES."""
    span = loss.last_ns - loss.first_ns
    lasted = format.age(span) if span else ""
    cpu = format.UNKNOWN_TEXT if loss.cpu is None else str(loss.cpu)
    return (
        f"{clock.show(loss.first_ns, 8):<8} {lasted:>5}  {loss.program:<11} {cpu:>3} {format.count(loss.events):>9}  "
        f"{format.reason(loss.reason):<11}  {_setting(loss)}"
    ).rstrip()


def _setting(loss: Loss) -> str:
    if (was := loss.setting) is None:
        return ""
    name = "ring" if was.transport == "ringbuf" else "perf"
    return f"{name} {sizes.human(was.buffer_bytes)} {safe(was.wakeup)}"
