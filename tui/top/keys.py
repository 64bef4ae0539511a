"""By what events can be folded."""

from __future__ import annotations

from dataclasses import dataclass

from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.top.measures import ALL
from ringtop.tui.top.parts import PARTS, Part, fits

_KEYS: dict[str, tuple[str, ...]] = {
    "runqslower": ("cpu", "uid", "unit", "comm", "comm+after", "pid", "tid", "after"),
    "execsnoop": ("program", "subcommand", "command", "argv", "exe", "parent", "uid", "unit", "error"),
    "unlinksnoop": ("dir1", "dir2", "dir3", "comm", "comm+dir", "comm+dir+name", "op", "error", "uid", "unit"),
    ALL: ("cpu", "uid", "unit", "parent", "comm"),
}
"""Names of keys, from coarse to fine where one contains the other."""
_OTHERS = ("cpu", "uid", "unit", "comm", "pid", "tid")
"""Of a program that is not above."""
_FIRST = {"execsnoop": "command", "unlinksnoop": "comm+dir"}
"""The one to begin with, where that is not comm."""


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
    """The keys that events of *program*, or of ALL, can be folded by."""
    schemas = list(SCHEMAS.values()) if program == ALL else [SCHEMAS[program]]
    found = [Key(name, tuple(PARTS[part] for part in name.split("+"))) for name in _KEYS.get(program, _OTHERS)]
    return tuple(key for key in found if all(fits(part, schema) for part in key.parts for schema in schemas))


def first_key(program: str) -> Key:
    """The key of *program*, or of ALL, to begin with."""
    return named(program, _FIRST.get(program, "comm"))


def named(program: str, name: str) -> Key:
    """The key called *name*. Raises ValueError, which names those that there are."""
    known = {key.name: key for key in keys(program)}
    if name not in known:
        raise ValueError(f"{program} cannot be folded by {name!r}, only by {', '.join(known)}")
    return known[name]
