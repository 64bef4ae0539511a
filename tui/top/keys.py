"""The keys that events can be folded by."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from ringtop.bpf.event.schema import SCHEMAS
from ringtop.tui.top.measures import ALL
from ringtop.tui.top.parts import PARTS, Part

_ALL_KEYS = ("cpu", "uid", "unit", "container", "cgroup", "parent", "comm")
_PARTS = {"pid": ("pid", "start_ns")}
"""The parts of keys that are not named after them: a process is its id and its start, because ids are used again."""
_LADDERS = (
    ("program", "subcommand", "command", "argv"),
    ("dir1", "dir2", "dir3"),
    ("unit", "pid", "tid"),
)
"""Keys of one part, each finer than the one before it. A key of several parts is finer than it is without its last."""


@dataclass(frozen=True, slots=True)
class Key:
    """The parts that all events of one row have in common."""

    name: str
    parts: tuple[Part, ...]

    @property
    def of_hosts(self) -> bool:
        """Whether it tells hosts apart, of which there must be several."""
        return self.parts[0].name == "host"

    @property
    def about(self) -> str:
        """The key in words."""
        return ", ".join(part.about for part in self.parts)


def keys(program: str) -> tuple[Key, ...]:
    """The keys that events of *program*, or of ALL, can be folded by."""
    first = "comm" if program == ALL else SCHEMAS[program].key
    own = _ALL_KEYS if program == ALL else SCHEMAS[program].keys
    names = dict.fromkeys((*own, "host", f"host+{first}", "host+comm"))
    return tuple(map(_key, names))


def _key(name: str) -> Key:
    return Key(name, tuple(map(PARTS.__getitem__, _PARTS.get(name, name.split("+")))))


def first_key(program: str) -> Key:
    """The key that *program*, or ALL, is folded by at the start."""
    return named(program, "comm" if program == ALL else SCHEMAS[program].key)


def named(program: str, name: str) -> Key:
    """The key called *name*, or behind ``host+``. Raises ValueError, which lists the valid names, when there is
    none."""
    known = {key.name: key for key in keys(program)}
    if name.startswith("host+") and (key := known.get(name[5:])) is not None:
        return Key(name, (PARTS["host"], *key.parts))
    if name not in known:
        raise ValueError(f"{program} cannot be folded by {name!r}, only by {', '.join(known)}")
    return known[name]


def following(program: str, key: Key, hosts: bool = True) -> Key:
    """The key after *key* among those of *program*; after the last one, the first. Without *hosts* there is one host,
    by which nothing is folded."""
    known = [one for one in keys(program) if hosts or not one.of_hosts or one == key]
    return known[(known.index(key) + 1) % len(known)] if key in known else known[0]


def coarser(program: str, key: Key) -> Key | None:
    """The key of *program* that *key* refines; None when there is none."""
    return next((one for one in keys(program) if one.name == _coarser(key.name)), None)


def finer(program: str, key: Key) -> Key | None:
    """The first key of *program* that refines *key*; None when there is none."""
    return next((one for one in keys(program) if _coarser(one.name) == key.name), None)


def _coarser(name: str) -> str:
    """The name of the key that the one called *name* refines; empty when there is none."""
    rest, _, last = name.rpartition("+")
    steps = (pair for ladder in _LADDERS for pair in pairwise(ladder))
    return rest or next((coarse for coarse, fine in steps if fine == last), "")
