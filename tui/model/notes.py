"""The text between the rows of a table: losses, restarts, changes of transport, comparisons. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ringtop.bpf import stream
from ringtop.bpf.common import sizes
from ringtop.bpf.common.transports import NAMES
from ringtop.tui.text import format
from ringtop.tui.text.glyphs import Glyphs
from ringtop.tui.text.text import safe

About = str | stream.Changed | stream.Compared
"""What a note says."""


@dataclass(frozen=True, slots=True)
class OfHost:
    """A note about one of several hosts."""

    host: str
    """Its name."""
    cpus: int
    """The number of its CPUs."""
    about: About


Note = About | OfHost

FEW = 3
"""A note gives the sequence numbers of at most this many CPUs."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A place between rows where events are missing or notes stand."""

    lost: int
    """Lost events, counted by the holes in the sequence numbers."""
    cpus: tuple[tuple[int, int], ...]
    """The CPUs that lost them, each with the number of its host before it."""
    marks: tuple[Note, ...]
    """The notes that stand here."""


def gap(gap: Gap, when: str, why: Sequence[str], cpus: int, glyphs: Glyphs, hosts: Mapping[int, str]) -> str:
    """The time *when* (empty if unknown), the losses with their reasons *why* as far as they are known, and the notes,
    each apart from the others; *cpus* is the machine's CPU count, *hosts* the names of several machines."""
    said = [when] if when else []
    if gap.lost:
        where = f"CPU {gap.cpus[0][1]}" if len(gap.cpus) == 1 else f"{len(gap.cpus)} CPUs"
        names = [safe(hosts[host]) for host in dict.fromkeys(host for host, _ in gap.cpus) if host in hosts]
        if names:
            where += f" of {names[0]}" if len(names) == 1 else f" of {len(names)} hosts"
        said.append(f"{format.count(gap.lost)} lost on {where}" + (f": {' or '.join(why)}" if why else ""))
    said += [_marked(note, cpus, glyphs) for note in gap.marks]
    return f" {glyphs.gap} ".join(said)


def about(note: Note) -> About:
    """What *note* says, of whatever host."""
    return note.about if isinstance(note, OfHost) else note


def bad_gap(gap: Gap) -> bool:
    """Whether the gap reports losses or a broken ledger."""
    return gap.lost > 0 or any(map(bad, gap.marks))


def _marked(note: Note, cpus: int, glyphs: Glyphs) -> str:
    if isinstance(note, OfHost):
        return f"{safe(note.host)}: {_marked(note.about, note.cpus, glyphs)}"
    about = "changed: " if isinstance(note, stream.Changed) else ""
    return f"{about}{text(note, cpus, glyphs)}"


def text(note: About, cpus: int, glyphs: Glyphs) -> str:
    """*note* in one line; *cpus* is the machine's CPU count."""
    if isinstance(note, stream.Changed):
        return changed(note, cpus, glyphs)
    return compared(note) if isinstance(note, stream.Compared) else note


def captured(capture: str) -> str:
    """The note where the capture filter became *capture*."""
    return f"capture filter: {safe(capture)}" if capture else "capture filter removed"


def followed(scope: str) -> str:
    """The note where the scope became *scope*."""
    return f"capturing only {safe(scope)}" if scope else "capturing the whole host"


def bad(note: Note) -> bool:
    """Whether the note reports dropped events or a ledger that does not balance."""
    note = about(note)
    if isinstance(note, stream.Changed):
        return note.dropped > 0
    return isinstance(note, stream.Compared) and note.residual != 0


def changed(note: stream.Changed, cpus: int, glyphs: Glyphs) -> str:
    """The change, its cost, and the sequence numbers at both ends, which show that none is missing in between."""
    old, arrow = note.before, f" {glyphs.arrow} "
    said = []
    if (old.transport, old.buffer_bytes) != (note.transport, note.buffer_bytes):
        sides = (old.transport, old.buffer_bytes), (note.transport, note.buffer_bytes)
        said.append(arrow.join(format.buffer(transport, size, cpus) for transport, size in sides))
    if old.wakeup != note.wakeup:
        said.append(f"wakeup {safe(old.wakeup)}{arrow}{safe(note.wakeup)}")
    said += [
        f"{format.count(note.dropped)} lost",
        format.duration(note.took_ns),
        f"{format.count(note.in_flight)} in flight",
    ]
    ends = [end for end in note.cpus if end[1:] != (-1, -1)]
    before = sum(max(0, first - last - 1) for _, last, first in ends if min(last, first) >= 0) - note.dropped
    numbers = [f"{_number(last)}{arrow}{_number(first)} on CPU {cpu}" for cpu, last, first in ends[:FEW]]
    if len(ends) > FEW:
        numbers.append(f"{glyphs.ellipsis} {len(ends) - FEW} more CPUs")
    lost = f"; {format.count(before)} between these were lost before it" if before > 0 else ""
    return ", ".join(said) + (f"; seq {', '.join(numbers)}{lost}" if numbers else "")


def compared(note: stream.Compared) -> str:
    """The result of a comparison."""
    said = f"compared for {note.used.seconds:.0f} s, {choice(note)}"
    return f"{said}; {residual(note)}" if note.residual else said


def larger(note: stream.Compared) -> str:
    """What a larger buffer promises against the losses over the transport in use; empty when there were none."""
    used, other = note.used, note.other
    if not used.dropped or used.buffer_bytes >= sizes.LARGEST:
        return ""
    if other.dropped < used.dropped and other.memory_bytes > used.memory_bytes > 0:
        times = other.memory_bytes / used.memory_bytes
        size = _power(min(sizes.LARGEST, max(used.buffer_bytes * 2, int(used.buffer_bytes * times))))
        return (
            f"the other has {times:.3g} times the memory: with +, this one can have {format.size(size)}, "
            "and may lose as little"
        )
    size = used.buffer_bytes * 2
    return f"a larger buffer may lose less: press +: {format.size(size)}"


def choice(note: stream.Compared) -> str:
    """The transport that the comparison recommends, and why."""
    return f"choose: {NAMES[note.choose]}, because {safe(note.why)}"


def residual(note: stream.Compared) -> str:
    """The text for copies that the ledger does not account for."""
    return f"{format.count(note.residual)} copies unaccounted"


def _power(size: int) -> int:
    """The least power of two that is not below *size*; 1 for sizes that no buffer has."""
    return 1 << max(size - 1, 0).bit_length()


def _number(seq: int) -> str:
    return "none" if seq < 0 else str(seq)
