"""The keys that events can be folded by."""

from __future__ import annotations

from dataclasses import dataclass

from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.top.measures import ALL
from ringtop.tui.top.parts import PARTS, Part

_ALL_KEYS = ("cpu", "uid", "unit", "parent", "comm")


@dataclass(frozen=True, slots=True)
class Key:
    """The parts that all events of one row have in common."""

    name: str
    parts: tuple[Part, ...]

    @property
    def about(self) -> str:
        """The key in words."""
        return ", ".join(part.about for part in self.parts)


def keys(program: str) -> tuple[Key, ...]:
    """The keys that events of *program*, or of ALL, can be folded by; of two keys of which one refines the other, the
    coarse one comes first."""
    names = _ALL_KEYS if program == ALL else SCHEMAS[program].keys
    return tuple(Key(name, tuple(PARTS[part] for part in name.split("+"))) for name in names)


def first_key(program: str) -> Key:
    """The key that *program*, or ALL, is folded by at the start."""
    return named(program, "comm" if program == ALL else SCHEMAS[program].key)


def named(program: str, name: str) -> Key:
    """The key called *name*. Raises ValueError, which lists the valid names, when there is none."""
    known = {key.name: key for key in keys(program)}
    if name not in known:
        raise ValueError(f"{program} cannot be folded by {name!r}, only by {', '.join(known)}")
    return known[name]
