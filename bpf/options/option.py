"""The description of an option, and the dataclass fields that carry such descriptions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal

from ringtop.bpf.options.kinds import Flag, OptionKind


@dataclass(frozen=True, slots=True)
class Option:
    """The description of one option."""

    name: str
    """The name of its attribute and of its key in the config file."""
    kind: OptionKind
    help: str
    default: Any
    shown: str = ""
    """The default in words, where the value itself is not what a user would write."""
    many: bool = False
    """Whether its value is a tuple. The flag then has the singular as its name and gives one item at a time."""
    only: Literal["", "config", "flag", "collector"] = ""
    """The only place where it can be set: the config file, a flag, or the command line that ringtop gives to its
    collectors. When empty, a user can set it both by a flag and in the config file."""

    @property
    def flag(self) -> str:
        """The option's flag on a command line."""
        return "--" + (self.name.removesuffix("s") if self.many else self.name).replace("_", "-")

    @property
    def usual(self) -> str:
        """The default, as a help text shows it; empty where the help text shows none."""
        plain = isinstance(self.default, str | float | int) and not isinstance(self.default, bool)
        return self.shown or (str(self.default) if plain else "")

    def read(self, given: object) -> Any:
        """Convert *given* to the option's value. With ``many``, *given* is a list, and each item is kept once. Raises
        ValueError."""
        if not self.many:
            return self.kind.read(given)
        if not isinstance(given, list | tuple) or not given:
            raise ValueError(f"{given!r:.40} is not a list with at least one item")
        return tuple(dict.fromkeys(map(self.kind.read, given)))

    def write(self, value: Any) -> list[str]:
        """Return the words of a command line that set the option to *value*."""
        if isinstance(self.kind, Flag):
            return [self.flag if value else f"--{self.kind.no}"]
        return [f"{self.flag}={one}" for one in (value if self.many else (value,))]


def option(default: Any, kind: OptionKind, help: str, **more: Any) -> Any:
    """Return a dataclass field that is an option. *default* may be a function that makes the default; *more* sets
    further attributes of ``Option``."""
    made = {"default_factory": default} if callable(default) else {"default": default}
    return field(**made, metadata={"kind": kind, "help": help, **more})


def options(cls: type) -> dict[str, Option]:
    """Return the options among the fields of a dataclass, by name."""
    found = {}
    for f in fields(cls):
        if "kind" not in f.metadata:
            continue
        default = f.default if f.default_factory is MISSING else f.default_factory()
        found[f.name] = Option(name=f.name, default=default, **f.metadata)
    return found


def read_words(known: Iterable[Option], words: Iterable[str]) -> tuple[dict[str, Any], list[str]]:
    """Return the values by name, and the words that are not flags. Raises ValueError, which names the flag."""
    flags = {option.flag: option for option in known}
    switches = {f"--{one.kind.no}": (one.name, False) for one in flags.values() if isinstance(one.kind, Flag)}
    switches |= {one.flag: (one.name, True) for one in flags.values() if isinstance(one.kind, Flag)}
    values: dict[str, Any] = {}
    given: dict[str, list[str]] = {}
    others = []
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            others.append(word)
            continue
        if word in switches:
            name, on = switches[word]
            values[name] = on
            continue
        flag, equals, text = word.partition("=")
        if flag not in flags:
            raise ValueError(f"there is no option {flag}; the options are {', '.join(flags)}")
        value = text if equals else next(rest, None)
        if value is None:
            raise ValueError(f"{flag} needs a value")
        given.setdefault(flag, []).append(value)
    for flag, texts in given.items():
        one = flags[flag]
        try:
            values[one.name] = one.read(texts if one.many else texts[-1])
        except ValueError as e:
            raise ValueError(f"{flag}: {e}") from e
    return values, others
