"""By what events can be folded."""

from __future__ import annotations

from dataclasses import dataclass

from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.top.measures import ALL
from ringtop.tui.top.parts import PARTS, Part

_ALL_KEYS = ("cpu", "uid", "unit", "parent", "comm")


@dataclass(frozen=True, slots=True)
class Key:
    """What events of one row have in common."""

    name: str
    parts: tuple[Part, ...]

    @property
    def about(self) -> str:
        """In words."""
        return ", ".join(part.about for part in self.parts)


def keys(program: str) -> tuple[Key, ...]:
    """The keys that events of *program*, or of ALL, can be folded by, from coarse to fine where one contains the
    other."""
    names = _ALL_KEYS if program == ALL else SCHEMAS[program].keys
    return tuple(Key(name, tuple(PARTS[part] for part in name.split("+"))) for name in names)


def first_key(program: str) -> Key:
    """The key of *program*, or of ALL, to begin with."""
    return named(program, "comm" if program == ALL else SCHEMAS[program].key)


def named(program: str, name: str) -> Key:
    """The key called *name*. Raises ValueError, which names those that there are."""
    known = {key.name: key for key in keys(program)}
    if name not in known:
        raise ValueError(f"{program} cannot be folded by {name!r}, only by {', '.join(known)}")
    return known[name]
