"""The description of one option, and how a dataclass of options carries it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal

from ringtop.bpf.options.kinds import OptionKind


@dataclass(frozen=True, slots=True)
class Option:
    """One option."""

    name: str
    """Its attribute, and its key in the config file."""
    kind: OptionKind
    help: str
    default: Any
    shown: str = ""
    """The default in words, where it is not what a user would write."""
    many: bool = False
    """Its value is a tuple, and its flag, whose name is the singular, gives one item at a time."""
    only: Literal["", "config", "collector"] = ""
    """Where alone it can be set: in the config file, or by ringtop for the collectors that it starts. Empty: a user can
    set it by a flag and in the config file."""

    @property
    def flag(self) -> str:
        """On a command line."""
        return "--" + (self.name.removesuffix("s") if self.many else self.name).replace("_", "-")

    @property
    def usual(self) -> str:
        """The default, as a help text has it; empty where there is nothing to say."""
        plain = isinstance(self.default, str | float | int) and not isinstance(self.default, bool)
        return self.shown or (str(self.default) if plain else "")

    def read(self, given: object) -> Any:
        """The value of *given*; of many, which are in a list, each once. Raises ValueError."""
        if not self.many:
            return self.kind.read(given)
        if not isinstance(given, list | tuple) or not given:
            raise ValueError(f"{given!r:.40} is not a list with at least one item")
        return tuple(dict.fromkeys(map(self.kind.read, given)))

    def write(self, value: Any) -> list[str]:
        """The words of a command line that give *value*."""
        return [f"{self.flag}={one}" for one in (value if self.many else (value,))]


def option(default: Any, kind: OptionKind, help: str, **more: Any) -> Any:
    """A field of a dataclass that is an option; *default* may be a function that makes it, *more* as in ``Option``."""
    made = {"default_factory": default} if callable(default) else {"default": default}
    return field(**made, metadata={"kind": kind, "help": help, **more})


def options(cls: type) -> dict[str, Option]:
    """The options among the fields of a dataclass, by name."""
    found = {}
    for f in fields(cls):
        if "kind" not in f.metadata:
            continue
        default = f.default if f.default_factory is MISSING else f.default_factory()
        found[f.name] = Option(name=f.name, default=default, **f.metadata)
    return found


def read_words(known: Iterable[Option], words: Iterable[str]) -> tuple[dict[str, Any], list[str]]:
    """The values by name, and the words that are not flags. Raises ValueError, which names the flag."""
    flags = {option.flag: option for option in known}
    given: dict[str, list[str]] = {}
    others = []
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            others.append(word)
            continue
        flag, equals, text = word.partition("=")
        if flag not in flags:
            raise ValueError(f"{flag}: no such option; there are {', '.join(flags)}")
        value = text if equals else next(rest, None)
        if value is None:
            raise ValueError(f"{flag}: a value must follow")
        given.setdefault(flag, []).append(value)
    values = {}
    for flag, texts in given.items():
        one = flags[flag]
        try:
            values[one.name] = one.read(texts if one.many else texts[-1])
        except ValueError as e:
            raise ValueError(f"{flag}: {e}") from e
    return values, others
