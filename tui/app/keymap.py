"""The keys that the config gives to commands: what is wrong with them, and what Textual has to be told."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations, permutations

from textual.app import App
from textual.binding import Binding
from textual.keys import KEY_NAME_REPLACEMENTS, Keys, key_to_character
from textual.screen import ModalScreen, Screen

from ringtop.tui.app.bindings import APP
from ringtop.tui.widgets import keys
from ringtop.tui.widgets.main import Main

_MODIFIERS = frozenset(("alt", "ctrl", "hyper", "meta", "shift", "super"))
_NAMES = frozenset(key.value.rpartition("+")[2] for key in Keys)
_SHORT = {short: key_to_character(long) for long, short in KEY_NAME_REPLACEMENTS.items()}
"""The characters of the keys that Textual calls by a shorter name than Unicode does: 'slash', 'plus'."""

Pair = frozenset[str]
"""The ids of two commands."""


def problems(given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each problem with the keys *given* by the ids of commands: the id, and what is wrong, with the cure."""
    known = keys.bindings()
    ids = sorted({one.id for each in known.values() for one in each if one.id})
    usual: dict[Pair, str] = {}
    shared: dict[Pair, str] = {}
    for chain in _chains(known):
        usual |= _shared(chain, {})
        shared |= _shared(chain, given)
    for name, text in given.items():
        if name not in ids:
            near = difflib.get_close_matches(name, ids, 1)
            cure = f"did you mean {near[0]!r}?" if near else f"the commands are {', '.join(ids)}"
            yield name, f"no such command; {cure}"
            continue
        for key in _split(text):
            if not _exists(key):
                yield name, f"{key[:32]!r} is no key; keys are such as x, X, question_mark, f5, ctrl+x and shift+up"
        others: dict[str, list[str]] = {}
        for pair, key in shared.items():
            if name in pair and pair not in usual:
                others.setdefault(key, []).extend(pair - {name})
        for key, found in others.items():
            yield name, f"{key} is also a key of {', '.join(found)}: give one of them another key"


def whole(given: Mapping[str, str]) -> dict[str, str]:
    """The keys *given*, and the usual ones of every command that shares one with a command of *given*: Textual would
    take the shared key from both."""
    wanted = dict(given)
    for each in keys.bindings().values():
        for one, other in permutations(each, 2):
            if one.id in given and other.id and _split(one.key) & _split(other.key):
                wanted.setdefault(other.id, other.key)
    return wanted


def _chains(known: Mapping[type, list[Binding]]) -> Iterator[list[Binding]]:
    """The bindings that can be in force at the same time."""
    app = [one for one in APP if isinstance(one, Binding)]
    for cls, each in known.items():
        if issubclass(cls, ModalScreen):
            yield each
        elif issubclass(cls, Screen):
            yield [*each, *app]
        elif not issubclass(cls, App):
            yield [*each, *known[Main], *app]


def _shared(chain: Iterable[Binding], given: Mapping[str, str]) -> dict[Pair, str]:
    """The pairs of commands with a common key, and that key."""
    of = {one.id: _split(given.get(one.id) or one.key) for one in chain if one.id}
    both = ((frozenset(pair), of[pair[0]] & of[pair[1]]) for pair in combinations(of, 2))
    return {pair: min(common) for pair, common in both if common}


def _split(text: str) -> frozenset[str]:
    """The keys of a list of keys, by one name each."""
    each = (key.strip() for key in text.split(","))
    return frozenset(key if len(key) == 1 else _character(key) or key for key in each)


def _character(key: str) -> str | None:
    return _SHORT.get(key) or key_to_character(key)


def _exists(key: str) -> bool:
    *modifiers, name = key.split("+")
    if "alt" in modifiers and _character(name) is not None:
        return False  # most terminals send it as Escape and the character
    return len(key) == 1 or (set(modifiers) <= _MODIFIERS and (name in _NAMES or _character(name) is not None))
